// The page: what is chosen, what the keys do, and the edits on their way to the list.

import {BoxLayer} from "./boxes.js";
import {Player} from "./player.js";
import {Tracks} from "./tracks.js";

const KEYS = [
  [" ", "play", "play or stop"], ["ArrowLeft", "back", "a frame back; with shift ten"],
  ["ArrowRight", "forward", "a frame on; with shift ten"], ["Home", "start", "the first frame"],
  ["End", "end", "the last frame"], ["ArrowDown", "nextTrack", "the next track of this frame"],
  ["ArrowUp", "previousTrack", "the one before"], ["n", "nextPlace", "the next place worth a look"],
  ["p", "previousPlace", "the place before"], ["1", "first", "the place: as it is"],
  ["2", "second", "the place: the other way"], ["m", "merge", "merge the track with another id"],
  ["s", "split", "split the track at this frame"], ["x", "swap", "exchange ids with another track from here on"],
  ["r", "rename", "give the track another id"], ["c", "setClass", "set the class of the track"],
  ["b", "draw", "draw boxes of the track, or of a new one"], ["a", "drawNew", "draw a new track"],
  ["Enter", "commit", "keep the drawn boxes"],
  ["D", "removeBox", "delete the box of this frame"], ["d", "remove", "delete the track"],
  ["Escape", "cancel", "leave what was begun"], ["u", "undo", "take the last edit back"],
  ["o", "original", "before and after"], ["+", "zoomIn", "longer timeline"], ["-", "zoomOut", "shorter timeline"],
  ["?", "help", "this help"],
];
const NAMES = {" ": "space", ArrowLeft: "left", ArrowRight: "right", ArrowUp: "up", ArrowDown: "down", Escape: "esc",
  D: "shift d"};
const byId = (id) => document.getElementById(id);

const state = {about: null, tracks: null, before: null, showsBefore: false, chosen: null, places: [], knowsPlaces: false, place: -1,
  done: new Set(), drawing: null, asked: null};
let player, layer, timeline;

async function request(address, options) {
  const answer = await fetch(address, options);
  if (!answer.ok) throw new Error((await answer.json()).error);
  return answer;
}

const buffer = async (address) => (await request(address)).arrayBuffer();

async function start() {
  const [about, times, tracks, before] = await Promise.all([
    request("about").then((answer) => answer.json()), buffer("times"), buffer("tracks"), buffer("tracks?original")]);
  Object.assign(state, {about, tracks: new Tracks(tracks), before: new Tracks(before)});
  state.done = new Set(JSON.parse(localStorage.getItem(doneKey()) || "[]"));
  const both = new Float64Array(times), half = both.length / 2;
  player = new Player(about, both.subarray(0, half), both.subarray(half), onFrame);
  layer = new BoxLayer(byId("boxes"), about, choose, onDrag);
  timeline = new Timeline(byId("timeline"), {first: about.first, length: about.last - about.first + 1, onPick, describe});
  document.title = byId("name").textContent = `${about.name}: review`;
  byId("edits-path").textContent = about.edits;
  byId("edit-command").textContent = `centertrack edit ${about.results} ${about.edits} --results corrected.txt`;
  byId("frame").min = about.first;
  byId("frame").max = about.last;
  fillHelp();
  listen();
  refresh();
  await player.open();
  player.seekFrame(about.first);
  document.body.dataset.ready = "yes";
  await loadPlaces();
}

const doneKey = () => `review-${state.about.digest}`;
const shown = () => (state.showsBefore ? state.before : state.tracks);

// --- what is on the screen

function onFrame(frame) {
  byId("frame").value = frame;
  byId("time").textContent = `${player.times[player.index].toFixed(2)} s`;
  byId("play").textContent = player.playing ? "Stop" : "Play";
  timeline.setCursor(frame);
  drawBoxes();
}

function drawBoxes() {
  const frame = player.frame, drawing = state.drawing;
  const drawn = drawing && {id: drawing.id, box: drawnBox(frame), isKey: drawing.keys.has(frame)};
  layer.show(shown().at(frame), state.chosen, drawn);
}

function refresh() {
  const tracks = shown(), about = state.about;
  state.order = tracks.inOrder();
  timeline.setRows(state.order.map((track) => ({
    name: String(track.id), id: track.id,
    spans: track.spans().map(([first, last]) => [first, last, layer.colour(track.id)]),
    marks: marksOf(track.id),
  })));
  byId("counts").textContent = `${counted(tracks.count, "track")}, ${counted(about.edit_count, "edit")}`;
  byId("undo").disabled = !about.edit_count;
  choose(tracks.byId.has(state.chosen) ? state.chosen : null, false);
}

const counted = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;

const marksOf = (id) => state.showsBefore ? []
  : state.places.filter((place) => place.ids.includes(id) && !isDone(place)).map((place) => [place.frame]);

function choose(id, intoView = true) {
  state.chosen = id;
  const track = id === null ? null : shown().byId.get(id), names = state.about.names;
  byId("track-name").textContent = track ? `Track ${id}` : "No track chosen";
  byId("track-facts").textContent = track
    ? `frames ${track.first} to ${track.last}, ${counted(track.frames.length, "box").replace("boxs", "boxes")}` +
      (track.number > 0 ? `, class ${names[track.number] || track.number}` : "")
    : "Click a box or a row of the timeline, or press the down key.";
  timeline.select(state.order.findIndex((one) => one.id === id), intoView);
  if (player) drawBoxes();
}

function onPick(row, frame) {
  player.seekFrame(frame);
  if (row >= 0) choose(state.order[row].id, false);
}

const describe = (row, frame) => `track ${row.name}, frame ${frame}`;

function say(text, isError = false) {
  byId("message").textContent = text;
  byId("message").classList.toggle("error", isError);
}

// --- edits

async function send(edit) {
  const options = {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(edit)};
  const answer = await (await request("edits", options)).json();
  state.tracks.replace(await buffer(`tracks?ids=${answer.changed.join(",")}`), answer.changed);
  state.about.edit_count = answer.edit_count;
  return answer;
}

async function apply(edits, choice, text) {
  if (state.showsBefore) toggleOriginal();
  try {
    for (const edit of edits) await send(edit);
    if (choice !== undefined) state.chosen = choice;
    say(text);
    refresh();
    loadPlaces();
    return true;
  } catch (error) {
    say(error.message, true);
    refresh();
    return false;
  }
}

async function undo() {
  try {
    const {was} = await send({edit: "undo"});
    say(`Taken back: ${was.edit} of ${was.id}`);
    refresh();
    loadPlaces();
  } catch (error) {
    say(error.message, true);
  }
}

// Asks for a number, and gives it to `then`.
function ask(question, value, then) {
  state.asked = then;
  byId("question").textContent = question;
  byId("ask").hidden = false;
  byId("answer").value = value;
  byId("answer").select();
  byId("answer").focus();
}

function answered(event) {
  event.preventDefault();
  const text = byId("answer").value.trim(), then = state.asked;
  const named = Object.entries(state.about.names).find(([, name]) => name === text);
  const number = named ? Number(named[0]) : Number(text);
  if (!text || !Number.isInteger(number)) { say(`Expected a whole number, got ${text || "nothing"}`, true); return; }
  closeAsk();
  then(number);
}

function closeAsk() {
  byId("ask").hidden = true;
  byId("boxes").focus();
}

// Runs with the chosen track; says so where there is none.
function withTrack(action) {
  return () => {
    if (state.chosen === null) say("Choose a track first: click its box or its row.", true);
    else action(state.chosen, player.frame);
  };
}

// --- boxes drawn by hand

function beginDrawing(id) {
  player.pause();
  state.drawing = {id, keys: new Map()};
  byId("drawing").hidden = false;
  state.chosen = id;
  showKeys();
  drawBoxes();
}

function drawnBox(frame) {
  const {id, keys} = state.drawing;
  if (keys.has(frame)) return keys.get(frame);
  const frames = [...keys.keys()].sort((one, two) => one - two);
  const after = frames.find((one) => one > frame), before = frames.findLast((one) => one < frame);
  if (before !== undefined && after !== undefined) {
    const share = (frame - before) / (after - before), one = keys.get(before), two = keys.get(after);
    return one.map((value, i) => value + share * (two[i] - value));
  }
  const track = state.tracks.byId.get(id);
  return track ? track.near(frame) : keys.get(before ?? after) || null;
}

function onDrag(box) {
  state.drawing.keys.set(player.frame, box);
  showKeys();
  drawBoxes();
}

function showKeys() {
  const frames = [...state.drawing.keys.keys()].sort((one, two) => one - two);
  byId("keys").textContent = `Track ${state.drawing.id}: ` + (frames.length ? `keys at ${frames.join(", ")}` : "no keys yet");
}

function nudge(event) {
  const [width, height] = state.about.size, frame = player.frame;
  const box = [...(drawnBox(frame) || [width * 0.45, height * 0.35, width * 0.1, height * 0.3])];
  const along = event.key === "ArrowLeft" || event.key === "ArrowRight" ? 0 : 1;
  const by = (event.key === "ArrowLeft" || event.key === "ArrowUp" ? -1 : 1) * (event.ctrlKey ? 10 : 1);
  if (event.shiftKey) box[along + 2] = Math.max(1, box[along + 2] + by); else box[along] += by;
  onDrag(box);
}

function endDrawing() {
  state.drawing = null;
  byId("drawing").hidden = true;
  drawBoxes();
}

async function commit() {
  if (!state.drawing) return;
  const {id, keys} = state.drawing;
  if (!keys.size) { say("Drag the box first, or move it with alt and the arrow keys.", true); return; }
  const round = (value) => Math.round(value * 100) / 100;
  const rows = [...keys].sort(([one], [two]) => one - two)
    .map(([frame, [left, top, width, height]]) => [frame, round(left + 1), round(top + 1), round(width), round(height)]);
  const edit = {edit: "boxes", id, keys: rows, number: state.about.has_classes ? 1 : -1};
  if (await apply([edit], id, `Boxes of ${id} kept`)) endDrawing();
}

// --- places worth a look

async function loadPlaces() {
  const current = state.places[state.place];
  state.places = await (await request("suspicions")).json();
  if (!state.knowsPlaces) say("");
  state.knowsPlaces = true;
  state.place = current ? state.places.findIndex((place) => placeKey(place) === placeKey(current)) : -1;
  showPlaces();
  timeline.setRows(timeline.rows.map((row) => ({...row, marks: marksOf(row.id)})));
}

const placeKey = (place) => `${place.kind} ${place.ids} ${place.frame}`;
const isDone = (place) => state.done.has(placeKey(place));

function showPlaces() {
  const left = state.places.filter((place) => !isDone(place)).length;
  byId("place-count").textContent = state.places.length ? `${left} of ${state.places.length} left` : "nothing found";
  byId("place-list").replaceChildren(...state.places.map((place, number) => {
    const item = document.createElement("li"), buttons = document.createElement("div");
    item.textContent = `${place.kind} of ${place.ids.join(" and ")}, frame ${place.frame}`;
    item.classList.toggle("done", isDone(place));
    item.setAttribute("aria-current", number === state.place);
    item.addEventListener("click", () => goTo(number));
    buttons.className = "buttons";
    buttons.append(...place.alternatives.map((alternative, choice) => {
      const button = document.createElement("button");
      button.textContent = `${choice + 1}: ${alternative.name}`;
      button.addEventListener("click", (event) => { event.stopPropagation(); decide(choice); });
      return button;
    }));
    item.append(buttons);
    return item;
  }));
}

function goTo(number) {
  const place = state.places[number];
  if (!place) {
    say(!state.knowsPlaces ? "Still looking for places; press again in a moment."
      : state.places.length ? "That was the last one." : "Nothing suspicious was found.");
    return;
  }
  state.place = number;
  showPlaces();
  byId("place-list").children[number].scrollIntoView({block: "nearest"});
  if (state.showsBefore) toggleOriginal();
  player.seekFrame(place.frame);
  choose(place.ids[0]);
}

// The next place that is not decided, counted from the current one; where there is none, one that is not there.
function openPlace(by) {
  let number = state.place + by;
  while (state.places[number] && isDone(state.places[number])) number += by;
  return number;
}

const nextPlace = (by) => goTo(openPlace(by));

async function decide(choice) {
  const place = state.places[state.place];
  if (!place) { say("Go to a place first: press n.", true); return; }
  const alternative = place.alternatives[choice], number = state.place;
  if (alternative.edits.length && !await apply(alternative.edits, place.ids[0], `${alternative.name}: ${place.ids.join(", ")}`)) return;
  state.done.add(placeKey(place));
  localStorage.setItem(doneKey(), JSON.stringify([...state.done]));
  if (alternative.edits.length) {
    await loadPlaces();
    state.place = number - 1;
  }
  if (state.places[openPlace(1)]) nextPlace(1);
  else showPlaces();
}

// --- keys and buttons

function neighbour(by) {
  const frame = player.frame, here = state.order.filter((track) => track.at(frame)), list = here.length ? here : state.order;
  const place = list.findIndex((track) => track.id === state.chosen);
  if (list.length) choose(list[(place < 0 ? (by > 0 ? 0 : list.length - 1) : place + by + list.length) % list.length].id);
}

function toggleOriginal() {
  state.showsBefore = !state.showsBefore;
  byId("original").setAttribute("aria-pressed", state.showsBefore);
  refresh();
}

const actions = {
  play: () => player.toggle(),
  back: (event) => player.step(event?.shiftKey ? -10 : -1),
  forward: (event) => player.step(event?.shiftKey ? 10 : 1),
  start: () => player.seek(0),
  end: () => player.seek(player.numbers.length - 1),
  nextTrack: () => neighbour(1),
  previousTrack: () => neighbour(-1),
  nextPlace: () => nextPlace(1),
  previousPlace: () => nextPlace(-1),
  first: () => decide(0),
  second: () => decide(1),
  merge: withTrack((id) => ask(`Merge ${id} with which id?`, "",
    (other) => apply([{edit: "merge", id, other}], id, `${other} is ${id} now`))),
  split: withTrack((id, frame) => {
    const free = state.tracks.freeId();
    apply([{edit: "split", id, frame, new_id: free}], free, `From frame ${frame} on ${id} is ${free}`);
  }),
  swap: withTrack((id, frame) => ask(`Exchange ${id} from frame ${frame} on with which id?`, "",
    (other) => apply([{edit: "swap", id, other, frame}], id, `${id} and ${other} exchanged from frame ${frame} on`))),
  rename: withTrack((id) => ask(`Which id instead of ${id}?`, state.tracks.freeId(),
    (other) => apply([{edit: "rename", id, new_id: other}], other, `${id} is ${other} now`))),
  setClass: withTrack((id) => ask(`Which class for ${id}?`, "",
    (number) => apply([{edit: "class", id, number}], id, `${id} is of class ${number}`))),
  draw: () => beginDrawing(state.chosen ?? state.tracks.freeId()),
  drawNew: () => beginDrawing(state.tracks.freeId()),
  commit,
  removeBox: withTrack((id, frame) =>
    apply([{edit: "delete", id, first: frame, last: frame}], undefined, `Box of ${id} in frame ${frame} deleted`)),
  remove: withTrack((id) => apply([{edit: "delete", id}], null, `${id} deleted`)),
  cancel: () => { closeAsk(); if (state.drawing) endDrawing(); else choose(null); say(""); },
  undo,
  original: toggleOriginal,
  zoomIn: () => timeline.zoom(0.5),
  zoomOut: () => timeline.zoom(2),
  help: () => byId("help").showModal(),
};

function listen() {
  for (const button of document.querySelectorAll("[data-do]"))
    button.addEventListener("click", (event) => { actions[button.dataset.do](event); button.blur(); });
  byId("original").addEventListener("click", actions.original);
  byId("undo").addEventListener("click", actions.undo);
  byId("help-button").addEventListener("click", actions.help);
  byId("ask").addEventListener("submit", answered);
  byId("ask-cancel").addEventListener("click", closeAsk);
  byId("frame").addEventListener("change", () => player.seekFrame(Number(byId("frame").value)));
  byId("speed").addEventListener("change", () => player.setSpeed(Number(byId("speed").value)));
  document.addEventListener("keydown", (event) => {
    if (byId("help").open || (/^(INPUT|SELECT)$/.test(event.target.tagName) && event.key !== "Escape")) return;
    if (state.drawing && event.altKey && event.key.startsWith("Arrow")) {
      event.preventDefault();
      nudge(event);
      return;
    }
    if (event.altKey || (event.ctrlKey || event.metaKey) && event.key !== "z") return;
    if (event.target.tagName === "BUTTON" && (event.key === " " || event.key === "Enter")) return;
    const name = event.key === "z" && (event.ctrlKey || event.metaKey) ? "undo" : KEYS.find(([key]) => key === event.key)?.[1];
    if (!name) return;
    event.preventDefault();
    actions[name](event);
  });
}

function fillHelp() {
  byId("key-table").replaceChildren(...KEYS.map(([key, , text]) => {
    const row = document.createElement("tr");
    row.append(...[NAMES[key] || key.toLowerCase(), text].map((words, column) => {
      const cell = document.createElement("td"), content = document.createElement(column ? "span" : "kbd");
      content.textContent = words;
      cell.append(content);
      return cell;
    }));
    return row;
  }));
}

start().catch((error) => say(error.message, true));
