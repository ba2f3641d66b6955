// All boxes of one version of the tracks, by id.

const WORDS = 8; // four bytes each: frame, id, class, score, left, top, width, height

export class Tracks {
  constructor(buffer) {
    this.byId = new Map();
    this.replace(buffer, []);
  }

  // Takes the boxes of a buffer in; the ids of `changed` lose those that they had.
  replace(buffer, changed) {
    for (const id of changed) this.byId.delete(id);
    const count = buffer.byteLength / (4 * WORDS);
    const whole = (column) => new Int32Array(buffer, 4 * count * column, count);
    const real = (column) => new Float32Array(buffer, 4 * count * column, count);
    const [frames, ids, classes] = [0, 1, 2].map(whole), [scores, lefts, tops, widths, heights] = [3, 4, 5, 6, 7].map(real);
    for (let start = 0; start < count;) {
      let end = start + 1;
      while (end < count && ids[end] === ids[start]) end++;
      const columns = [frames, classes, scores, lefts, tops, widths, heights].map((one) => one.subarray(start, end));
      this.byId.set(ids[start], new Track(ids[start], ...columns));
      start = end;
    }
  }

  get count() { return this.byId.size; }

  // The ids by their first frame.
  inOrder() {
    return [...this.byId.values()].sort((one, two) => one.first - two.first || one.id - two.id);
  }

  // [{track, box}] of one frame.
  at(frame) {
    const found = [];
    for (const track of this.byId.values()) {
      const box = track.at(frame);
      if (box) found.push({track, box});
    }
    return found;
  }

  freeId() { return Math.max(0, ...this.byId.keys()) + 1; }
}

class Track {
  constructor(id, frames, classes, scores, lefts, tops, widths, heights) {
    Object.assign(this, {id, frames, classes, scores, lefts, tops, widths, heights});
    this.first = frames[0];
    this.last = frames[frames.length - 1];
  }

  // [left, top, width, height] in pixels from 0, or null.
  at(frame) {
    const place = this.place(frame);
    return place < this.frames.length && this.frames[place] === frame
      ? [this.lefts[place], this.tops[place], this.widths[place], this.heights[place]] : null;
  }

  // The box at a frame, evenly between those on either side where there is none; the nearest one beyond the ends.
  near(frame) {
    const place = this.place(frame), before = this.frames[place - 1], after = this.frames[place];
    if (after === frame || before === undefined) return this.at(after);
    if (after === undefined) return this.at(before);
    const share = (frame - before) / (after - before), one = this.at(before), two = this.at(after);
    return one.map((value, i) => value + share * (two[i] - value));
  }

  get number() { return this.classes[0]; }

  // [[first, last]] without gaps.
  spans() {
    if (!this.known) {
      this.known = [];
      for (let i = 0, start = 0; i < this.frames.length; i++)
        if (i + 1 === this.frames.length || this.frames[i + 1] > this.frames[i] + 1) {
          this.known.push([this.frames[start], this.frames[i]]);
          start = i + 1;
        }
    }
    return this.known;
  }

  // The first place whose frame is not before this one.
  place(frame) {
    let low = 0, high = this.frames.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.frames[middle] < frame) low = middle + 1; else high = middle;
    }
    return low;
  }
}
