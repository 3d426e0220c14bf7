/** A box in pixels of the upright image. */
export interface Rect {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Another character that a letter may be. */
export interface Guess {
  text: string;
  /** Probability over all readings of the word, 0 to 1. */
  confidence: number;
}

export interface Letter {
  /** The box around its ink. */
  bounds: Rect;
  text: string;
  /** Probability over all readings of the word, 0 to 1. */
  confidence: number;
  /** The next best guesses, best first. */
  alternatives: Guess[];
}

/** Letters without a space between them. */
export interface Word {
  bounds: Rect;
  text: string;
  /** Mean confidence of its letters, 0 to 1. */
  confidence: number;
  letters: Letter[];
}

export interface Line {
  bounds: Rect;
  /** Its words, with single spaces between them. */
  text: string;
  /** Mean confidence of its letters, 0 to 1. */
  confidence: number;
  words: Word[];
}

export interface Page {
  /** The name of the file, as the options have it. */
  image: string;
  /** Which page of the file this is, from 1, if it has several. */
  page?: number;
  /** Columns of the image. */
  width: number;
  /** Rows of the image. */
  height: number;
  /** Degrees clockwise by which the image was turned to be read; missing for 0. */
  rotated?: number;
  /** Whether dark areas were inverted because the writing on them is light; missing for no. */
  light_on_dark?: boolean;
  /** From top to bottom. */
  lines: Line[];
}

/** How a file is read. Each key means what the flag of `kiln ocr` of that name does. */
export interface ReadOptions {
  /** The name of the file, for the JSON and for errors; default `image`. */
  name?: string;
  /** Which characters may be read: `all` (default), `letters`, `digits`, or the characters themselves, such as `ABC123`. */
  alphabet?: string;
  /** Letters as they are on the page (default), or all as capitals. */
  case?: 'keep' | 'upper';
  /** What decides between letters that look alike: English words (default), or their form alone. */
  context?: 'english' | 'off';
  /** In place of `context`: a word list, one word a line, each optionally followed by how often it occurs. */
  words?: string;
  /** Pages of a TIFF file, such as `1,3-5` or `8-`; default all. */
  pages?: string;
}

export interface Reading {
  pages: Page[];
  /** What `kiln ocr` prints: a line for each line of writing; several pages have headings. */
  text: string;
  /** What `kiln ocr --json` prints: an object for one page, a list for several. */
  json: string;
  /** What was left out, and why a page has no text, in a line each. */
  notes: string[];
}

/** Reads files in a worker of its own, one after the other; the thread that asks stays free meanwhile. */
export class Reader {
  /** Starts the worker and loads the models, which are part of the package. */
  static open(): Promise<Reader>;

  /**
   * Reads the content of a file: JPEG, PNG, WebP, GIF, BMP, TIFF, PNM or QOI.
   *
   * Rejects with an `Error` that says in one line what is wrong with the file or the options. The reader stays usable.
   */
  read(image: Uint8Array | ArrayBuffer | Blob, options?: ReadOptions): Promise<Reading>;

  /** Ends the worker; what is still being read is rejected. */
  close(): void;
}
