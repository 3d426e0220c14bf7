//! Curves over the epochs, as SVG without caption and legend, which are HTML.
//!
//! Values that are not finite leave a gap. The axis is logarithmic where most of a curve would lie flat at the bottom of a linear
//! one (see `axis`).

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::RGBColor;

use super::axis::{TICKS, TickedRange, ValueAxis, epoch_range};
use super::format::tick;
use super::style::{AXIS, GRID, LABEL, REST, RUNS, TRAIN, VALID};
use crate::metrics::{EpochRecord, Metrics};

/// Units of the picture for one CSS pixel at its natural size: plotters rounds coordinates to whole units, which would
/// make curves jagged at 1.
pub(super) const SCALE: u32 = 4;
/// Natural width of a chart in CSS pixels.
pub(super) const WIDTH: u32 = 480;
/// Natural height of a metric's chart in CSS pixels.
pub(super) const HEIGHT: u32 = 270;
/// Natural height of a minor chart in CSS pixels.
const MINOR_HEIGHT: u32 = 150;
/// Natural width and height of a wide chart in CSS pixels: two of the others and the gap between them, a bit higher.
const WIDE: (u32, u32) = (976, 330);
/// Font size in CSS pixels. plotters sets the SVG's font to 1/1.24 of the requested size.
const FONT: f64 = 12.0 * 1.24;
/// Room for the labels of the vertical and the horizontal axis in CSS pixels.
const LABEL_ROOM: (u32, u32) = (58, 24);
/// Margin above and to the right in CSS pixels, so that the outermost labels are not cut off.
const MARGIN: (u32, u32) = (8, 12);
/// With at most this many epochs, each value gets a dot.
const MOST_DOTS: usize = 20;

/// One curve.
#[derive(Debug, Clone)]
pub struct Series {
    /// How its line is drawn.
    pub role: Role,
    /// (epoch counted from 1, value), in the order in which they are joined.
    pub points: Vec<(usize, f64)>,
}

/// Whose curve it is; decides its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Training samples, and charts with a single curve.
    Train,
    /// Validation samples.
    Valid,
    /// One of several runs, counted from 0.
    Run(usize),
    /// One of the runs in the background.
    Rest,
}

impl Role {
    pub(super) fn color(self) -> RGBColor {
        match self {
            Role::Train => TRAIN,
            Role::Valid => VALID,
            Role::Run(index) => RUNS.get(index).copied().unwrap_or(REST),
            Role::Rest => REST,
        }
    }

    /// Width of the line in CSS pixels.
    fn width(self) -> u32 {
        match self {
            Role::Rest => 1,
            _ => 2,
        }
    }
}

/// What a chart shows besides its curves.
#[derive(Debug, Clone, Copy, Default)]
pub struct ChartOptions {
    /// The values are fractions of 1: labels are percentages and the axis ends at 100 %.
    pub fraction: bool,
    /// A low chart, for less important values.
    pub minor: bool,
    /// A chart of the full width of a page.
    pub wide: bool,
    /// The epoch to mark with a dashed line.
    pub marked_epoch: Option<usize>,
}

/// The curves of one metric: training first, then validation, each where an epoch has it.
pub fn metric_series(epochs: &[EpochRecord], metric: &str) -> Vec<Series> {
    let of = |role, part: fn(&EpochRecord) -> &Metrics| Series {
        role,
        points: epochs
            .iter()
            .filter_map(|record| Some((record.epoch, *part(record).get(metric)?)))
            .collect(),
    };
    let both = [
        of(Role::Train, |record| &record.train),
        of(Role::Valid, |record| &record.valid),
    ];
    let has_points = |series: &Series| !series.points.is_empty();
    both.into_iter().filter(has_points).collect()
}

/// The learning rate as a curve.
pub fn learning_rate_series(epochs: &[EpochRecord]) -> Series {
    Series {
        role: Role::Train,
        points: epochs
            .iter()
            .map(|record| (record.epoch, record.learning_rate))
            .collect(),
    }
}

/// The curves as an SVG element; None when there is no finite value to draw.
pub fn chart(series: &[Series], options: ChartOptions) -> Option<String> {
    let finite: Vec<(usize, f64)> = series
        .iter()
        .flat_map(|series| series.points.iter().copied())
        .filter(|(_, value)| value.is_finite())
        .collect();
    let first = finite.iter().map(|point| point.0).min()?;
    let last = finite.iter().map(|point| point.0).max()?;
    let values: Vec<f64> = finite.iter().map(|point| point.1).collect();
    let ticks = if options.minor { TICKS * 2 / 3 } else { TICKS };
    let axis = ValueAxis::new(&values, options.fraction, ticks);
    let (width, height) = match (options.wide, options.minor) {
        (true, _) => WIDE,
        (false, true) => (WIDTH, MINOR_HEIGHT),
        (false, false) => (WIDTH, HEIGHT),
    };

    let mut svg = String::new();
    {
        let backend = SVGBackend::with_string(&mut svg, (width * SCALE, height * SCALE));
        let area = backend.into_drawing_area();
        // Writing into a string can't fail; a chart that plotters rejects is left out like an empty one.
        draw(&area, series, (first, last), &axis, options.marked_epoch).ok()?;
        area.present().ok()?;
    }
    Some(svg)
}

pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
pub(super) type Context<'a, 'b> =
    ChartContext<'b, SVGBackend<'a>, Cartesian2d<TickedRange, TickedRange>>;
pub(super) type Drawn<'a> =
    Result<(), DrawingAreaErrorKind<<SVGBackend<'a> as DrawingBackend>::ErrorType>>;

/// Draws the frame, the mark and the curves.
fn draw<'a>(
    area: &Area<'a>,
    series: &[Series],
    (first, last): (usize, usize),
    axis: &ValueAxis,
    marked_epoch: Option<usize>,
) -> Drawn<'a> {
    let mut context = frame(area, epoch_range(first, last), &|epoch| tick(epoch), axis)?;
    if let Some(epoch) = marked_epoch.filter(|epoch| (first..=last).contains(epoch)) {
        draw_mark(&mut context, epoch, axis)?;
    }
    for one in series {
        draw_series(&mut context, one, axis, last - first < MOST_DOTS)?;
    }
    Ok(())
}

/// Draws grid, axes and labels.
pub(super) fn frame<'a, 'b>(
    area: &'b Area<'a>,
    across: TickedRange,
    label: &dyn Fn(f64) -> String,
    axis: &ValueAxis,
) -> Result<Context<'a, 'b>, DrawingAreaErrorKind<<SVGBackend<'a> as DrawingBackend>::ErrorType>> {
    let mut context = ChartBuilder::on(area)
        .margin_top(MARGIN.0 * SCALE)
        .margin_right(MARGIN.1 * SCALE)
        .y_label_area_size(LABEL_ROOM.0 * SCALE)
        .x_label_area_size(LABEL_ROOM.1 * SCALE)
        .build_cartesian_2d(across, axis.range.clone())?;
    let font = ("sans-serif", FONT * f64::from(SCALE)).into_font();
    context
        .configure_mesh()
        .disable_x_mesh()
        .bold_line_style(GRID.stroke_width(SCALE))
        .light_line_style(TRANSPARENT)
        .axis_style(AXIS.stroke_width(SCALE))
        .label_style(font.color(&LABEL))
        .set_all_tick_mark_size(4 * SCALE)
        .x_label_formatter(&|place| label(*place))
        .y_label_formatter(&|height| axis.label(*height))
        .draw()?;
    Ok(context)
}

/// The dashed line at an epoch.
fn draw_mark<'a>(context: &mut Context<'a, '_>, epoch: usize, axis: &ValueAxis) -> Drawn<'a> {
    let line = [
        (epoch as f64, axis.range.low),
        (epoch as f64, axis.range.high),
    ];
    let style = AXIS.stroke_width(SCALE);
    let (dash, gap) = (4 * SCALE, 4 * SCALE);
    context.draw_series(DashedLineSeries::new(line, dash, gap, style))?;
    Ok(())
}

/// One curve: a line for each run of finite values, and dots where a line would not show them.
fn draw_series<'a>(
    context: &mut Context<'a, '_>,
    series: &Series,
    axis: &ValueAxis,
    dots: bool,
) -> Drawn<'a> {
    let color = series.role.color();
    for run in series.points.split(|(_, value)| !value.is_finite()) {
        let points: Vec<(f64, f64)> = run
            .iter()
            .map(|&(epoch, value)| (epoch as f64, axis.height(value)))
            .collect();
        if dots || points.len() == 1 {
            let dot = |&at: &(f64, f64)| Circle::new(at, 3 * SCALE, color.filled());
            context.draw_series(points.iter().map(dot))?;
        }
        if points.len() > 1 {
            context.draw_series(LineSeries::new(
                points,
                color.stroke_width(series.role.width() * SCALE),
            ))?;
        }
    }
    Ok(())
}
