//! A scatter plot of runs as SVG: a setting on the horizontal axis, the metric on the vertical one.

use plotters::prelude::*;

use super::axis::{TICKS, ValueAxis};
use super::curves::{Area, Drawn, HEIGHT, Role, SCALE, WIDTH, frame};

/// Size of a dot in CSS pixels.
const DOT: u32 = 4;

/// One run.
#[derive(Debug, Clone, Copy)]
pub struct Dot {
    /// How it is drawn.
    pub role: Role,
    /// The setting.
    pub setting: f64,
    /// The value of the metric.
    pub value: f64,
}

/// The dots as an SVG element, the first on top; None when there is no finite one.
pub fn scatter(dots: &[Dot], fraction: bool) -> Option<String> {
    let is_finite = |dot: &&Dot| dot.setting.is_finite() && dot.value.is_finite();
    let dots: Vec<&Dot> = dots.iter().filter(is_finite).collect();
    let all = |of: fn(&Dot) -> f64| dots.iter().map(|dot| of(dot)).collect::<Vec<f64>>();
    if dots.is_empty() {
        return None;
    }
    // Labels side by side need more room than labels above each other.
    let across = ValueAxis::new(&all(|dot| dot.setting), false, TICKS * 2 / 3);
    let upwards = ValueAxis::new(&all(|dot| dot.value), fraction, TICKS);
    let mut svg = String::new();
    {
        let backend = SVGBackend::with_string(&mut svg, (WIDTH * SCALE, HEIGHT * SCALE));
        let area = backend.into_drawing_area();
        // As with the curves: a chart that plotters rejects is left out.
        draw(&area, &dots, &across, &upwards).ok()?;
        area.present().ok()?;
    }
    Some(svg)
}

fn draw<'a>(area: &Area<'a>, dots: &[&Dot], across: &ValueAxis, upwards: &ValueAxis) -> Drawn<'a> {
    let label = |place| across.label(place);
    let mut context = frame(area, across.range.clone(), &label, upwards)?;
    let circle = |dot: &&Dot| {
        let at = (across.height(dot.setting), upwards.height(dot.value));
        Circle::new(at, DOT * SCALE, dot.role.color().filled())
    };
    context.draw_series(dots.iter().rev().map(circle))?;
    Ok(())
}
