// What was corrected below `root`, as `kiln ocr --expect` and `kiln data from-review` read it: the text of each line by the name of its
// image, and all letters with their boxes.
function corrected(root) {
  const saved = {}, letters = {};
  for (const page of root.querySelectorAll('section[data-image]')) {
    const name = page.dataset.image;
    const text = word => [...word.querySelectorAll('input')].map(input => input.value).join('');
    const line = line => [...line.querySelectorAll('.word')].map(text).filter(word => word).join(' ');
    saved[name] = [...page.querySelectorAll('.line')].map(line).filter(line => line);
    letters[name] = [...page.querySelectorAll('input')].map(
      input => ({ box: JSON.parse(input.dataset.box), text: input.value }));
  }
  saved.kiln_review = letters;
  return saved;
}
