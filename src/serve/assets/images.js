// Images that people give: dropped, pasted, chosen or photographed; and the choices above them, which the address of the page keeps.

/** Calls `take` with the files that are given in any way. */
export function given(take) {
  const drop = document.getElementById('drop');
  if (!drop) return;
  const pass = files => { if (files.length) take([...files]); };
  for (const id of ['file', 'camera']) {
    const input = document.getElementById(id);
    input.addEventListener('change', () => { pass(input.files); input.value = ''; });
  }
  addEventListener('dragover', event => { event.preventDefault(); drop.classList.add('over'); });
  addEventListener('dragleave', event => { if (!event.relatedTarget) drop.classList.remove('over'); });
  addEventListener('drop', event => {
    event.preventDefault();
    drop.classList.remove('over');
    pass(event.dataTransfer.files);
  });
  addEventListener('paste', event => pass(event.clipboardData.files));
}

/** The choices of the form, as parameters; `changed` is called with every change. */
export function choices(changed) {
  const form = document.getElementById('options');
  const selects = form ? [...form.querySelectorAll('select')] : [];
  const address = new URLSearchParams(location.search);
  for (const select of selects) {
    const wanted = address.get(select.name);
    if (wanted && [...select.options].some(option => option.value === wanted)) select.value = wanted;
    select.addEventListener('change', () => {
      const search = parameters().toString();
      history.replaceState(null, '', search ? '?' + search : location.pathname);
      changed();
    });
  }
  form?.addEventListener('submit', event => event.preventDefault());
  const parameters = () => new URLSearchParams(
    selects.filter(select => select.value).map(select => [select.name, select.value]));
  return parameters;
}

/** Sends a file; an error has the server's words. */
export async function send(address, parameters, file) {
  const answer = await fetch(address + '?' + parameters, { method: 'POST', body: file });
  if (answer.ok) return answer;
  let words = answer.statusText;
  try { words = (await answer.json()).error; } catch { /* Not from kiln. */ }
  throw new Error(words);
}

/** Says something to everybody, whether they see or hear it. */
export function say(text, isError = false) {
  const status = document.getElementById('status');
  status.textContent = text;
  status.classList.toggle('error', isError);
}

/** Offers bytes as a file. */
export function download(blob, name) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

export const percent = value => (100 * value).toFixed(value > 0.995 && value < 1 ? 1 : 0) + ' %';
