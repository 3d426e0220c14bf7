//! The review as one HTML file without anything from elsewhere.

use maud::{DOCTYPE, Markup, PreEscaped, html};

/// The key of the letters' boxes in what the page saves; `corrected.js` has it, too.
pub(super) const LETTERS: &str = "kiln_review";

const STYLE: &str = "
body { font: 15px system-ui, sans-serif; margin: 1.5em; color: #222; }
h2 { font-size: 1.05em; margin: 1.6em 0 .4em; }
.line { margin: .5em 0; }
.word { display: inline-block; margin: 0 1.2em .4em 0; white-space: nowrap; }
.letter { display: inline-block; width: 44px; margin: 1px; text-align: center; vertical-align: bottom; }
.letter img { display: block; width: 40px; height: 40px; margin: 0 auto 2px; object-fit: contain; background: #fff; }
.letter input { width: 34px; font: 20px ui-monospace, monospace; text-align: center; border: 2px solid #8bc48b; }
.letter input.unsure { border-color: #d9822b; }
.letter input.changed { background: #fff3b0; }
#save { position: sticky; top: 0; background: #fff; padding: .5em 0; }
";

/// What was corrected in a part of a document, as it is saved: a function without anything around it, for other pages as well.
pub const CORRECTED: &str = include_str!("corrected.js");

const SCRIPT: &str = r#"
const inputs = [...document.querySelectorAll('.letter input')];
inputs.forEach((input, index) => {
  input.addEventListener('focus', () => input.select());
  input.addEventListener('input', () => {
    input.classList.toggle('changed', input.value !== input.dataset.read);
    if (input.value && inputs[index + 1]) inputs[index + 1].focus();
  });
});
document.querySelector('#save button').addEventListener('click', () => {
  const file = new Blob([JSON.stringify(corrected(document), null, 1) + '\n'], { type: 'application/json' });
  const link = document.createElement('a');
  link.href = URL.createObjectURL(file);
  link.download = 'review.json';
  link.click();
});
"#;

/// The document of several pages' sections.
pub fn document(sections: &[Markup]) -> String {
    let script = format!("{CORRECTED}{SCRIPT}");
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                title { "kiln: review of what was read" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { "What was read" }
                p {
                    "Type over what is wrong; empty a box that holds no letter. Orange frames are unsure, and pointing at a box shows \
                     what else it may be. Save the corrections, then score with "
                    code { "kiln ocr --expect review.json" }
                    " or make training data with "
                    code { "kiln data from-review review.json" }
                    "."
                }
                div id="save" { button { "Save corrections" } }
                @for section in sections { (section) }
                script { (PreEscaped(script)) }
            }
        }
    };
    page.into_string()
}
