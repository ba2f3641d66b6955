// Shows one frame of a video or of image files, and says which.

export class Player {
  // numbers: frame numbers; times: when each is shown, in seconds; onFrame(frame): another one is on the screen
  constructor(about, numbers, times, onFrame) {
    Object.assign(this, {about, numbers, times, onFrame});
    this.index = 0;
    this.playing = false;
    this.offset = 0;
    this.video = document.getElementById("video");
    this.image = document.getElementById("image");
    this.speed = 1;
  }

  // Resolves when the first picture is there; rejects where the browser cannot show it.
  open() {
    if (!this.about.is_video) {
      this.image.hidden = false;
      return this.load(0);
    }
    this.video.hidden = false;
    return new Promise((resolve, reject) => {
      this.video.addEventListener("error", () => reject(new Error("this browser cannot play the video; start again with --reencode")));
      this.video.requestVideoFrameCallback((now, data) => {
        this.offset = data.mediaTime - this.times[0];
        this.watch();
        resolve();
      });
      this.video.addEventListener("seeked", () => this.settle());
      this.video.addEventListener("ended", () => this.pause());
      this.video.src = "video";
    });
  }

  get frame() { return this.numbers[this.index]; }

  watch() {
    this.video.requestVideoFrameCallback((now, data) => {
      if (this.playing) this.arrive(this.indexAt(data.mediaTime - this.offset));
      this.watch();
    });
  }

  arrive(index) {
    this.index = index;
    this.onFrame(this.frame);
  }

  // The frame that is shown at a time.
  indexAt(time) {
    let low = 0, high = this.times.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.times[middle] <= time + 1e-4) low = middle; else high = middle - 1;
    }
    return low;
  }

  seekFrame(frame) {
    let low = 0, high = this.numbers.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.numbers[middle] < frame) low = middle + 1; else high = middle;
    }
    this.seek(low);
  }

  step(by) { this.seek(this.index + by); }

  seek(index) {
    this.pause();
    index = Math.max(0, Math.min(this.numbers.length - 1, index));
    this.arrive(index);
    if (!this.about.is_video) { this.load(index); return; }
    this.wanted = index;
    if (!this.seeking) this.start();
  }

  // In the middle of a frame's time, so that rounding cannot show its neighbour.
  start() {
    this.seeking = true;
    const index = this.wanted, next = this.times[index + 1] ?? this.times[index] + 1 / this.about.frame_rate;
    this.target = index;
    this.video.currentTime = this.offset + (this.times[index] + next) / 2;
  }

  settle() {
    this.seeking = false;
    if (this.wanted !== undefined && this.wanted !== this.target) this.start();
  }

  load(index) {
    return new Promise((resolve, reject) => {
      this.image.onload = resolve;
      this.image.onerror = () => reject(new Error(`frame ${this.numbers[index]} cannot be shown`));
      this.image.src = `frame/${this.numbers[index]}`;
    });
  }

  toggle() {
    if (this.playing) this.pause(); else this.play();
  }

  play() {
    if (this.index === this.numbers.length - 1) this.seek(0);
    this.playing = true;
    if (this.about.is_video) {
      this.video.playbackRate = this.speed;
      this.video.play();
    } else {
      this.turn();
    }
  }

  async turn() {
    const began = performance.now(), from = this.times[this.index];
    while (this.playing && this.index < this.numbers.length - 1) {
      await new Promise(requestAnimationFrame);
      const index = this.indexAt(from + (performance.now() - began) / 1000 * this.speed);
      if (!this.playing || index === this.index) continue;
      this.arrive(index);
      await this.load(index).catch(() => {});
    }
    this.playing = false;
    this.onFrame(this.frame);
  }

  pause() {
    if (!this.playing) return;
    this.playing = false;
    if (this.about.is_video) this.video.pause();
    this.onFrame(this.frame);
  }

  setSpeed(speed) {
    this.speed = speed;
    this.video.playbackRate = speed;
  }
}
