// Draws boxes over the picture, and lets one be dragged.

const GRIP = 9; // pixels of the screen within which a corner or side is taken

export class BoxLayer {
  // onPick(id or null): a box was clicked; onChange(box): the one that is drawn was dragged
  constructor(canvas, about, onPick, onChange) {
    Object.assign(this, {canvas, about, onPick, onChange});
    this.found = [];
    this.selected = null;
    this.drawn = null; // {id, box or null, isKey} while boxes are drawn
    canvas.addEventListener("pointerdown", (event) => this.press(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    canvas.addEventListener("pointerup", () => { this.drag = null; });
    canvas.addEventListener("pointercancel", () => { this.drag = null; });
    new ResizeObserver(() => this.draw()).observe(canvas);
  }

  colour(id) { return this.about.colours[id % this.about.colours.length]; }

  // Where the picture lies in the canvas, in pixels of the screen.
  placement() {
    const {clientWidth, clientHeight} = this.canvas, [width, height] = this.about.size;
    const scale = Math.min(clientWidth / width, clientHeight / height);
    return {scale, left: (clientWidth - width * scale) / 2, top: (clientHeight - height * scale) / 2};
  }

  show(found, selected, drawn) {
    Object.assign(this, {found, selected, drawn});
    this.draw();
  }

  draw() {
    const ratio = devicePixelRatio || 1, {clientWidth, clientHeight} = this.canvas;
    if (!clientWidth) return;
    this.canvas.width = Math.round(clientWidth * ratio);
    this.canvas.height = Math.round(clientHeight * ratio);
    const draw = this.canvas.getContext("2d"), {scale, left, top} = this.placement();
    draw.setTransform(ratio, 0, 0, ratio, 0, 0);
    draw.font = "600 12px system-ui, sans-serif";
    draw.textBaseline = "bottom";
    const later = (one) => (one.track.id === this.selected ? 1 : 0);
    for (const {track, box} of [...this.found].sort((one, two) => later(one) - later(two))) {
      if (this.drawn && track.id === this.drawn.id) continue;
      const name = this.about.names[track.number];
      this.outline(draw, box.map((value, i) => value * scale + [left, top, 0, 0][i]), this.colour(track.id),
        track.id === this.selected, name ? `${track.id} ${name}` : String(track.id));
    }
    if (this.drawn?.box) {
      const box = this.drawn.box.map((value, i) => value * scale + [left, top, 0, 0][i]);
      draw.setLineDash(this.drawn.isKey ? [] : [6, 4]);
      this.outline(draw, box, this.colour(this.drawn.id), true, String(this.drawn.id));
      draw.setLineDash([]);
      draw.fillStyle = "#fff";
      for (const x of [0, 0.5, 1]) for (const y of [0, 0.5, 1])
        if (x !== 0.5 || y !== 0.5) draw.fillRect(box[0] + x * box[2] - 3, box[1] + y * box[3] - 3, 6, 6);
    }
  }

  outline(draw, [x, y, width, height], colour, isChosen, text) {
    draw.lineWidth = isChosen ? 3.5 : 2;
    if (isChosen) {
      draw.strokeStyle = "#fff";
      draw.strokeRect(x - 2.5, y - 2.5, width + 5, height + 5);
    }
    draw.strokeStyle = colour;
    draw.strokeRect(x, y, width, height);
    const space = draw.measureText(text).width + 8, base = y < 18 ? y + 17 : y - 1;
    draw.fillStyle = colour;
    draw.fillRect(x - 1, base - 16, space, 16);
    draw.fillStyle = "#fff";
    draw.fillText(text, x + 3, base - 1);
  }

  // The pointer in pixels of the source.
  point(event) {
    const area = this.canvas.getBoundingClientRect(), {scale, left, top} = this.placement();
    return [(event.clientX - area.left - left) / scale, (event.clientY - area.top - top) / scale];
  }

  press(event) {
    if (event.button !== 0) return;
    const [x, y] = this.point(event);
    if (this.drawn) {
      this.canvas.setPointerCapture(event.pointerId);
      const grip = GRIP / this.placement().scale, box = this.drawn.box;
      const inside = box && x > box[0] - grip && x < box[0] + box[2] + grip && y > box[1] - grip && y < box[1] + box[3] + grip;
      const side = (value, low, size) => (Math.abs(value - low) < grip ? -1 : Math.abs(value - low - size) < grip ? 1 : 0);
      this.drag = inside
        ? {x, y, box, sides: [side(x, box[0], box[2]), side(y, box[1], box[3])]}
        : {x, y, box: [x, y, 0, 0], sides: [1, 1]};
      return;
    }
    const hit = this.found.filter(({box}) => x >= box[0] && x <= box[0] + box[2] && y >= box[1] && y <= box[1] + box[3]);
    hit.sort((one, two) => one.box[2] * one.box[3] - two.box[2] * two.box[3]); // the smallest is on top
    const next = hit[(hit.findIndex(({track}) => track.id === this.selected) + 1) % Math.max(1, hit.length)];
    this.onPick(next ? next.track.id : null);
  }

  move(event) {
    if (!this.drag) return;
    const [x, y] = this.point(event), {box, sides} = this.drag, dx = x - this.drag.x, dy = y - this.drag.y;
    const along = (low, size, by, side, whole) =>
      whole ? [low + by, size] : side < 0 ? [low + by, size - by] : side > 0 ? [low, size + by] : [low, size];
    const isWhole = !sides[0] && !sides[1];
    let [left, width] = along(box[0], box[2], dx, sides[0], isWhole), [top, height] = along(box[1], box[3], dy, sides[1], isWhole);
    if (width < 0) [left, width] = [left + width, -width];
    if (height < 0) [top, height] = [top + height, -height];
    if (width >= 1 && height >= 1) this.onChange([left, top, width, height]);
  }
}
