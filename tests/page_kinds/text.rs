//! What is written on drawn pages of mixed text and in columns.

/// Punctuation that [`mixed`] writes.
pub const PUNCTUATED: [char; 12] = ['.', ',', ':', ';', '!', '?', '(', ')', '-', '+', '/', '='];

/// Sentences without punctuation, of which names and starts have capitals.
const SENTENCES: [&str; 20] = [
    "The boat left at 7 and came back before night",
    "Anna wrote to Peter from a small town near Oslo",
    "Please bring two lemons and a jar of honey",
    "We met at the station and took the next train north",
    "My brother keeps 12 hens and a very loud goose",
    "Room 45 is on the third floor beside the lift",
    "The exam begins on Monday in the large hall",
    "Every evening the fox walks quietly along the fence",
    "Julia played jazz on an old piano until midnight",
    "Quick waves broke over the wall of the harbour",
    "Keep the key under the green pot by the door",
    "Water boils at 100 degrees and freezes at zero",
    "The museum in Zurich was closed for repairs",
    "She drew six circles with a blunt pencil",
    "Nobody expected snow in the middle of April",
    "Mix the flour with milk and let it rest",
    "A parcel for Mr Brown arrived this morning",
    "The old clock strikes eleven when it is noon",
    "His garden has apples plums and yellow roses",
    "Turn left after the bridge and follow the river",
];

/// Lines with punctuation.
const WITH_MARKS: [&str; 12] = [
    "Dear Anna, thank you for your letter!",
    "Where is the key? In the box (left).",
    "To buy: milk, eggs, bread; 2 lemons.",
    "12 + 30 = 42, and 7 - 5 = 2.",
    "Open: Monday, Tuesday. Closed: Sunday!",
    "Notes (page 3/4): see below; ask Tom.",
    "Well-known words, half-empty glasses.",
    "Who called? Peter, at 9:45; no message.",
    "Stop! The bridge is closed (until May).",
    "Size: 30/40, colour: grey; price + tax.",
    "First, wash it; then, dry it. Done!",
    "Is it x = 4 or y = 7? Try again, please.",
];

/// Two to four lines in lower and upper case; with `marks`, lines with punctuation.
pub fn mixed(seed: u64, marks: bool) -> String {
    let from: &[&str] = if marks { &WITH_MARKS } else { &SENTENCES };
    let count = 2 + (seed % 3) as usize;
    // Steps that share no factor with the number of lines.
    let lines = (0..count).map(|line| from[(seed as usize * 7 + line * 11) % from.len()]);
    lines.collect::<Vec<&str>>().join("\n")
}

/// Running text of capitals for two columns, each of four to six lines of about 20 letters.
pub fn columns(seed: u64) -> [String; 2] {
    let words: Vec<String> = SENTENCES
        .iter()
        .cycle()
        .skip(seed as usize % SENTENCES.len())
        .take(SENTENCES.len())
        .flat_map(|sentence| sentence.split(' '))
        .map(str::to_uppercase)
        .collect();
    let mut words = words.into_iter();
    let mut column = |lines: usize| {
        let mut text = Vec::new();
        for _ in 0..lines {
            let mut line = String::new();
            while line.len() < 16 {
                if !line.is_empty() {
                    line.push(' ');
                }
                line.push_str(&words.next().expect("enough words"));
            }
            text.push(line);
        }
        text.join("\n")
    };
    [
        column(4 + seed as usize % 3),
        column(4 + seed as usize / 3 % 3),
    ]
}
