// The worker of the page. It has no address that a file could be loaded from: the module comes in the first message, packed.

let answer;

async function load(packed) {
  const bytes = Uint8Array.from(atob(packed), letter => letter.charCodeAt(0));
  const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  wasm_bindgen.initSync({ module: await new Response(unpacked).arrayBuffer() });
  answer = answering(wasm_bindgen, message => postMessage(message));
  postMessage({ ready: true });
}

onmessage = ({ data }) => {
  if (data.packed === undefined) return answer(data);
  load(data.packed).catch(error => postMessage({ failed: `this browser can't load the reader: ${error.message}` }));
};
