//! What a user may rely on when kiln reads pages in lower and upper case with punctuation.

use kiln::ocr::mixed::{SeenLetter, fit_lines, log_likelihood, says_mixed};

/// A letter in a line with its base at row `base` and an x `x_height` pixels high.
fn seen(
    x: f32,
    base: f32,
    x_height: f32,
    top: f32,
    foot: f32,
    chances: &[(char, f32)],
) -> SeenLetter {
    SeenLetter {
        x,
        top: base + top * x_height,
        foot: base + foot * x_height,
        chances: chances.to_vec(),
    }
}

#[test]
fn the_base_line_and_the_height_of_an_x_are_found_from_the_letters() {
    // "handy pen": ascenders, x-heights and descenders on a line that falls by 3 rows in 100 columns.
    let letters = "handypen".chars().enumerate().map(|(index, character)| {
        let x = 50.0 * index as f32;
        let (top, foot) = match character {
            'h' | 'd' => (-1.9, 0.0),
            'y' | 'p' => (-1.0, 1.0),
            _ => (-0.97, 0.0),
        };
        seen(x, 200.0 + 0.03 * x, 40.0, top, foot, &[(character, 1.0)])
    });
    let lines = [letters.collect::<Vec<_>>()];
    let fit = fit_lines(&lines, 60.0)[0].unwrap();
    // Within 15 %: what is usual counts too.
    assert!((34.0..46.0).contains(&fit.x_height), "{fit:?}");
    let base = fit.base + fit.slope * 175.0;
    assert!((base - 205.25).abs() < 5.0, "{fit:?}");
}

#[test]
fn letters_of_one_form_are_told_apart_by_their_height() {
    // By form, each is a small letter or a capital with equal chances; only the h and the p say how tall the line is.
    for (small, capital) in [
        ('c', 'C'),
        ('o', 'O'),
        ('s', 'S'),
        ('v', 'V'),
        ('w', 'W'),
        ('x', 'X'),
        ('z', 'Z'),
    ] {
        let either = [(small, 0.5), (capital, 0.5)];
        let line = vec![
            seen(0.0, 100.0, 30.0, -1.9, 0.0, &[('h', 1.0)]),
            seen(40.0, 100.0, 30.0, -1.0, 1.0, &[('p', 1.0)]),
            seen(80.0, 100.0, 30.0, -1.0, 0.0, &either),
            seen(120.0, 100.0, 30.0, -1.9, 0.0, &either),
        ];
        let fit = fit_lines(&[line], 45.0)[0].unwrap();
        let better = |top: f32| {
            let (top, foot) = fit.place(80.0, 100.0 + top * 30.0, 100.0);
            log_likelihood(small, top, foot) > log_likelihood(capital, top, foot)
        };
        assert!(better(-1.0) && !better(-1.9), "{small}");
    }
}

#[test]
fn a_page_is_mixed_text_only_if_its_letters_say_so() {
    let page = |letters: &[(f32, &[(char, f32)])]| {
        let letters = letters.iter().enumerate();
        let line: Vec<SeenLetter> = letters
            .map(|(index, (top, chances))| {
                seen(40.0 * index as f32, 100.0, 30.0, *top, 0.0, chances)
            })
            .collect();
        let fit = fit_lines(std::slice::from_ref(&line), 40.0)[0].unwrap();
        says_mixed(&[(fit, &line)])
    };
    let small: &[(f32, &[(char, f32)])] = &[
        (-1.0, &[('a', 0.9), ('A', 0.1)]),
        (-1.0, &[('n', 1.0)]),
        (-1.9, &[('d', 1.0)]),
    ];
    assert!(page(small));
    let capitals: &[(f32, &[(char, f32)])] = &[
        (-1.9, &[('A', 1.0)]),
        (-1.9, &[('o', 0.4), ('O', 0.6)]),
        (-1.9, &[('N', 1.0)]),
    ];
    assert!(!page(capitals));
    // A word of letters that look the same in both cases says nothing.
    let either: &[(f32, &[(char, f32)])] = &[
        (-1.0, &[('c', 0.5), ('C', 0.5)]),
        (-1.0, &[('o', 0.5), ('O', 0.5)]),
    ];
    assert!(!page(either));
}
