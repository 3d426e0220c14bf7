// The class `Reader`, over a worker of any kind.

/**
 * The class over workers that `start` makes. It is given a function for messages from the worker and one for its failure, and returns
 * `{ post(message), end(), busy(whether) }`. The worker says `{ ready: true }` first.
 */
export function readerOver(start) {
  return class Reader {
    #worker;
    #next = 0;
    /** Requests without an answer, by id, in their order. */
    #waiting = new Map();

    static async open() {
      const reader = new Reader();
      await reader.#start();
      return reader;
    }

    async read(image, options = {}) {
      const bytes = await bytesOf(image);
      if (!this.#worker) throw new Error('the reader is closed; open another one');
      return new Promise((resolve, reject) => {
        const request = { id: this.#next++, bytes, options: JSON.stringify(options) };
        this.#waiting.set(request.id, { request, resolve, reject });
        this.#worker.busy(true);
        this.#worker.post(request);
      });
    }

    close() {
      this.#end();
      for (const { reject } of this.#waiting.values()) reject(new Error('the reader was closed'));
      this.#waiting.clear();
    }

    #end() {
      this.#worker?.end();
      this.#worker = undefined;
    }

    #start() {
      return new Promise((resolve, reject) => {
        const fail = error => {
          reject(error);
          this.#end();
          for (const waiting of this.#waiting.values()) waiting.reject(error);
          this.#waiting.clear();
        };
        const take = message => {
          if (!message.ready) return this.#take(message);
          this.#worker.busy(this.#waiting.size > 0);
          resolve();
        };
        this.#worker = start(take, fail);
      });
    }

    #take({ id, error, broken, ...answer }) {
      const { resolve, reject } = this.#waiting.get(id);
      this.#waiting.delete(id);
      this.#worker.busy(this.#waiting.size > 0);
      if (error === undefined) resolve({ pages: [JSON.parse(answer.json)].flat(), ...answer });
      else reject(new Error(error));
      if (broken) this.#again();
    }

    /** Another worker for the requests that are left. */
    #again() {
      this.#end();
      const left = [...this.#waiting.values()];
      // Why it does not start is told to each of them.
      this.#start().catch(() => {});
      this.#worker.busy(left.length > 0);
      for (const { request } of left) this.#worker.post(request);
    }
  };
}

async function bytesOf(image) {
  if (image instanceof Uint8Array) return image;
  if (image instanceof ArrayBuffer) return new Uint8Array(image);
  if (typeof Blob !== 'undefined' && image instanceof Blob) return new Uint8Array(await image.arrayBuffer());
  throw new TypeError('an image is a Uint8Array, an ArrayBuffer or a Blob with the content of a file');
}
