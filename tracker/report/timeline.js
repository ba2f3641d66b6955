// A timeline of identities: a row each, spans of frames in colour, marks between them. Only what is in sight is drawn,
// so that thousands of rows scroll without a pause. The report and the review page share it; it needs nothing else.
//
// new Timeline(element, {first, length, rows, lanes, onPick, describe})
//   rows: [{name, spans: [[first, last, colour, lane]], there: [[first, last, lane]], marks: [[frame, lane]]}]
//   onPick(row, frame): a row was clicked; describe(row, frame, lane): what the pointer is on
class Timeline {
  constructor(element, options) {
    Object.assign(this, {lanes: 1, onPick: () => {}, describe: null, rows: [], selected: -1, cursor: null}, options);
    this.element = element;
    this.from = this.first;
    this.to = this.first + this.length;
    element.classList.add("tl");
    element.innerHTML = '<canvas aria-hidden="true"></canvas><div class="tl-space"></div>';
    this.canvas = element.querySelector("canvas");
    this.space = element.querySelector(".tl-space");
    element.addEventListener("scroll", () => this.redraw(), {passive: true});
    element.addEventListener("pointerdown", (event) => this.press(event));
    element.addEventListener("pointermove", (event) => this.move(event));
    element.addEventListener("pointerleave", () => { Timeline.tip().style.display = "none"; });
    element.addEventListener("wheel", (event) => this.wheel(event), {passive: false});
    new ResizeObserver(() => this.redraw()).observe(element);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.redraw());
    this.setRows(this.rows);
  }

  get rowHeight() { return this.lanes === 1 ? 16 : 8 * this.lanes + 8; }

  get namesWidth() { return this.element.clientWidth < 600 ? 44 : 64; }

  setRows(rows) {
    this.rows = rows;
    this.space.style.height = `${rows.length * this.rowHeight}px`;
    this.redraw();
  }

  select(row, intoView = true) {
    this.selected = row;
    const top = row * this.rowHeight, height = this.element.clientHeight - 20;
    if (intoView && row >= 0 && (top < this.element.scrollTop || top + this.rowHeight > this.element.scrollTop + height))
      this.element.scrollTop = Math.max(0, top - height / 2);
    this.redraw();
  }

  setCursor(frame) {
    this.cursor = frame;
    const width = this.to - this.from;
    if (width < this.length && (frame < this.from || frame >= this.to)) this.show(frame - width / 2, width);
    this.redraw();
  }

  zoom(factor, around = this.cursor ?? (this.from + this.to) / 2) {
    const width = Math.min(this.length, Math.max(20, (this.to - this.from) * factor));
    this.show(around - (around - this.from) / (this.to - this.from) * width, width);
  }

  show(from, width) {
    this.from = Math.max(this.first, Math.min(from, this.first + this.length - width));
    this.to = this.from + width;
    this.redraw();
  }

  redraw() {
    if (this.pending) return;
    this.pending = requestAnimationFrame(() => { this.pending = 0; this.draw(); });
  }

  frameAt(clientX) {
    const area = this.element.getBoundingClientRect(), width = area.width - this.namesWidth;
    const share = (clientX - area.left - this.namesWidth) / width;
    return Math.floor(Math.min(this.to - 1e-6, Math.max(this.from, this.from + share * (this.to - this.from))));
  }

  rowAt(clientY) {
    const area = this.element.getBoundingClientRect();
    return Math.floor((clientY - area.top + this.element.scrollTop - 20) / this.rowHeight);
  }

  press(event) {
    const row = this.rowAt(event.clientY);
    if (event.button === 0) this.onPick(row >= 0 && row < this.rows.length ? row : -1, this.frameAt(event.clientX));
  }

  move(event) {
    const row = this.rows[this.rowAt(event.clientY)], tip = Timeline.tip();
    if (!row || !this.describe || event.pointerType === "touch") { tip.style.display = "none"; return; }
    const within = (event.clientY - this.element.getBoundingClientRect().top + this.element.scrollTop - 20) % this.rowHeight;
    const lane = Math.min(this.lanes - 1, Math.floor(within / this.rowHeight * this.lanes));
    tip.textContent = this.describe(row, this.frameAt(event.clientX), lane);
    tip.style.display = "block";
    tip.style.left = `${Math.min(event.clientX + 12, innerWidth - tip.offsetWidth - 6)}px`;
    tip.style.top = `${Math.min(event.clientY + 16, innerHeight - tip.offsetHeight - 6)}px`;
  }

  wheel(event) {
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      this.zoom(event.deltaY > 0 ? 1.25 : 0.8, this.frameAt(event.clientX));
    } else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      event.preventDefault();
      const width = this.to - this.from;
      this.show(this.from + (event.deltaX || event.deltaY) / this.element.clientWidth * width, width);
    }
  }

  draw() {
    const {element, canvas} = this, ratio = devicePixelRatio || 1;
    const width = element.clientWidth, height = element.clientHeight;
    if (!width || !height) return;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
      canvas.style.width = `${width}px`;
      canvas.style.height = `${height}px`;
      this.space.style.marginTop = `${20 - height}px`;
    }
    const style = getComputedStyle(element), colour = (name) => style.getPropertyValue(name).trim();
    const ink = colour("--ink"), soft = colour("--soft"), line = colour("--line"), card = colour("--card");
    const draw = canvas.getContext("2d");
    draw.setTransform(ratio, 0, 0, ratio, 0, 0);
    draw.clearRect(0, 0, width, height);
    draw.font = "11px system-ui, sans-serif";
    draw.textBaseline = "middle";
    const left = this.namesWidth, scale = (width - left) / (this.to - this.from);
    const x = (frame) => left + (frame - this.from) * scale;
    const topRow = Math.floor(element.scrollTop / this.rowHeight);
    const lane = (this.rowHeight - (this.lanes === 1 ? 6 : 8)) / this.lanes;
    draw.save();
    draw.beginPath();
    draw.rect(0, 20, width, height - 20);
    draw.clip();
    for (let i = topRow; i < this.rows.length; i++) {
      const row = this.rows[i], top = 20 + i * this.rowHeight - element.scrollTop;
      if (top > height) break;
      if (i === this.selected) {
        draw.fillStyle = colour("--bar-soft");
        draw.fillRect(0, top, width, this.rowHeight);
      }
      draw.fillStyle = i === this.selected ? ink : soft;
      draw.textAlign = "right";
      draw.fillText(row.name, left - 8, top + this.rowHeight / 2, left - 12);
      draw.save();
      draw.beginPath();
      draw.rect(left, top, width - left, this.rowHeight);
      draw.clip();
      const y = (number) => top + (this.rowHeight - lane * this.lanes) / 2 + number * lane;
      draw.fillStyle = colour("--miss");
      for (const [first, last, number] of row.there || [])
        draw.fillRect(x(first), y(number || 0) + lane / 2 - 1, Math.max(1, (last + 1 - first) * scale), 2);
      for (const [first, last, fill, number] of row.spans) {
        if (last < this.from || first > this.to) continue;
        draw.fillStyle = fill;
        draw.fillRect(x(first), y(number || 0) + 1, Math.max(1, (last + 1 - first) * scale), lane - 2);
      }
      for (const [frame, number] of row.marks || []) {
        draw.fillStyle = card;
        draw.fillRect(x(frame) - 2.5, y(number || 0) - 1, 5, lane + 2);
        draw.fillStyle = ink;
        draw.fillRect(x(frame) - 1, y(number || 0) - 1, 2, lane + 2);
      }
      draw.restore();
      draw.fillStyle = line;
      draw.fillRect(0, top + this.rowHeight - 0.5, width, 0.5);
    }
    draw.restore();
    draw.fillStyle = card;
    draw.fillRect(0, 0, width, 19);
    draw.fillStyle = line;
    draw.fillRect(0, 19, width, 1);
    draw.fillStyle = soft;
    const step = Timeline.step((this.to - this.from) / Math.max(2, (width - left) / 90));
    for (let frame = Math.ceil(this.from / step) * step; frame < this.to; frame += step) {
      draw.textAlign = x(frame) > width - 20 ? "right" : "center";
      draw.fillText(String(frame), x(frame), 10);
      draw.fillRect(x(frame), 16, 1, 4);
    }
    if (this.cursor !== null && this.cursor >= this.from && this.cursor < this.to) {
      draw.fillStyle = colour("--series-1");
      draw.fillRect(x(this.cursor + 0.5) - 1, 0, 2, height);
    }
  }

  // The next of 1, 2, 5, 10, ... from a number on.
  static step(least) {
    const power = 10 ** Math.floor(Math.log10(Math.max(1, least)));
    return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= least) || 10 * power;
  }

  static tip() {
    let tip = document.getElementById("tip");
    if (!tip) {
      tip = document.createElement("div");
      tip.id = "tip";
      document.body.append(tip);
    }
    return tip;
  }
}
