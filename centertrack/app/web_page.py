"""The page of `WebView`: a pane a source, with its picture and its numbers, which it asks for every second."""

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>centertrack</title>
<style>
  :root { color-scheme: light dark; --line: #8884; --soft: #888; }
  body { margin: 0; padding: 1rem; font: 15px/1.4 system-ui, sans-serif; }
  main { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(28rem, 100%), 1fr)); }
  article { border: 1px solid var(--line); border-radius: 8px; overflow: hidden; align-self: start; }
  h2 { margin: 0; padding: .5rem .8rem; font-size: 1rem; overflow-wrap: anywhere; }
  img { display: block; width: 100%; min-height: 8rem; background: #222; object-fit: contain; }
  dl { display: flex; flex-wrap: wrap; gap: .2rem 1.6rem; margin: 0; padding: .6rem .8rem; }
  dl div { min-width: 4.5rem; }
  dt { color: var(--soft); font-size: .8rem; }
  dd { margin: 0; font-size: 1.3rem; font-variant-numeric: tabular-nums; }
  p { color: var(--soft); }
</style>
</head>
<body>
<main id="panes"></main>
<p id="state">waiting for the first source</p>
<script>
const labels = [
  ["objects", "now"], ["ids", "ids so far"], ["rate", "frames/s"], ["frame", "frame"], ["time", "seconds"],
];
const main = document.getElementById("panes"), state = document.getElementById("state"), panes = [];
function addPane(index, name) {
  const article = document.createElement("article"), title = document.createElement("h2");
  const image = document.createElement("img"), list = document.createElement("dl"), cells = {};
  title.textContent = name;
  image.src = `/${index}.mjpeg`;
  image.alt = `${name}, annotated`;
  for (const [key, label] of labels) {
    const cell = document.createElement("div"), term = document.createElement("dt");
    cells[key] = document.createElement("dd");
    term.textContent = label;
    cell.append(term, cells[key]);
    list.append(cell);
  }
  article.append(title, image, list);
  main.append(article);
  panes.push({title, cells});
}
async function refresh() {
  try {
    const counts = await (await fetch("/counts.json")).json();
    counts.forEach((one, index) => {
      if (index >= panes.length) addPane(index, one.name);
      const {title, cells} = panes[index];
      title.textContent = one.ended ? `${one.name} (ended)` : one.name;
      for (const [key] of labels) {
        cells[key].parentElement.hidden = one[key] === null;
        cells[key].textContent = key === "time" ? Number(one.time).toFixed(1) : one[key];
      }
    });
    state.textContent = counts.length ? "" : "waiting for the first source";
  } catch (error) {
    state.textContent = "the run has ended";
  }
  setTimeout(refresh, 1000);
}
refresh();
</script>
</body>
</html>
"""
