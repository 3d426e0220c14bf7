// The answers to messages, which the workers of browsers, of Node and of the page have in common.

/**
 * What answers `{ id, bytes, options }` (options as JSON) through `post`: with `{ id, json, text, notes }`, or with `{ id, error, broken }` where
 * `broken` says that the instance can't be used any more. `wasm` is what wasm-bindgen generated, ready.
 */
export function answering(wasm, post) {
  const reader = new wasm.Reader();
  return ({ id, bytes, options }) => {
    try {
      const answer = reader.read(bytes, options);
      post({ id, json: answer.json, text: answer.text, notes: answer.notes });
      answer.free();
    } catch (error) {
      // What the reader itself refuses is a plain Error; all else is a trap, after which the memory may be in any state.
      const broken = error.constructor !== Error;
      post({ id, error: broken ? trapped(wasm, error) : error.message, broken });
    }
  };
}

function trapped(wasm, error) {
  const options = 'a smaller image may be read';
  try {
    return `the reader failed: ${wasm.lastPanic() || `out of memory, or ${error.message}`}; ${options}`;
  } catch {
    return `the reader failed: ${error.message}; ${options}`;
  }
}
