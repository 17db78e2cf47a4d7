//! Charts as SVG that stands in the page. Their colours are the house's in light; style.css makes each the one of its name, so that dark has its own.

use super::digits::trimmed;
use crate::run::results::Second;
use plotters::chart::ChartContext;
use plotters::coord::Shift;
use plotters::coord::ranged1d::{Ranged, ValueFormatter};
use plotters::coord::types::RangedCoordf64;
use plotters::drawing::DrawingAreaErrorKind;
use plotters::prelude::*;
use std::io;

/// The page shows them at half of it: coordinates are whole numbers, too coarse for a line at full size.
const SIZE: (u32, u32) = (1080, 400);
/// With more of them than so many, a point would be narrower than its line.
const POINTS: usize = 540;
/// Of the numbers beside the axes; style.css has the face.
const LABELS: (&str, i32) = ("sans-serif", 27);

const LINE: RGBColor = RGBColor(0xe1, 0xe6, 0xe8);
const LABEL: RGBColor = RGBColor(0x59, 0x6b, 0x73);

type Failure = DrawingAreaErrorKind<io::Error>;
type Sketch<'a, 'b, Y> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, Y>>;

/// What a line is drawn with.
#[derive(Clone, Copy)]
pub enum Ink {
    House,
    Grey,
    Good,
    Bad,
}

impl Ink {
    /// The name that style.css knows it by.
    pub const fn name(self) -> &'static str {
        match self {
            Self::House => "house",
            Self::Grey => "grey",
            Self::Good => "good",
            Self::Bad => "bad",
        }
    }

    const fn color(self) -> RGBColor {
        match self {
            Self::House => RGBColor(0x15, 0x43, 0x4e),
            Self::Grey => RGBColor(0x6f, 0x7d, 0x83),
            Self::Good => RGBColor(0x1b, 0x87, 0x4e),
            Self::Bad => RGBColor(0xcb, 0x3a, 0x34),
        }
    }
}

/// Something that changes while a round passes.
pub struct Line {
    pub name: &'static str,
    pub ink: Ink,
    /// The moment, in seconds, and what it was then.
    pub points: Vec<(f64, f64)>,
}

impl Line {
    /// Seconds that it has no value of are left out.
    pub fn of(seconds: &[Second], name: &'static str, ink: Ink, read: fn(&Second) -> Option<f64>) -> Self {
        let together = together(seconds);
        let points = seconds.chunks(together).enumerate().filter_map(|(n, chunk)| {
            let values: Vec<f64> = chunk.iter().filter_map(read).collect();
            let mean = values.iter().sum::<f64>() / number(values.len());
            (!values.is_empty()).then(|| (number(n * together) + number(chunk.len()) / 2.0, mean))
        });
        Self { name, ink, points: points.collect() }
    }
}

/// How many seconds one point is the mean of.
pub fn together(seconds: &[Second]) -> usize {
    seconds.len().div_ceil(POINTS).max(1)
}

/// A round of a search, in the chart over rates.
pub struct Dot {
    pub rate: f64,
    pub value: f64,
    pub clean: bool,
}

/// How values go up the side of a chart.
#[derive(Clone, Copy)]
pub enum Scale {
    /// From nothing to so much at least.
    Even(f64),
    /// Each line ten times the one below: for what explodes where a switch is full.
    Tenfold,
}

/// Lines over the seconds of a round, on a scale up to `least` or higher.
pub fn over_time(lines: &[Line], seconds: usize, least: f64, up: &dyn Fn(f64) -> String) -> io::Result<String> {
    let (unit, name) = match seconds {
        0..=300 => (1.0, "s"),
        301..=18_000 => (60.0, "min"),
        _ => (3600.0, "h"),
    };
    let top = top(lines.iter().flat_map(|line| &line.points).map(|(_, value)| *value), least);
    drawn(|area| {
        let mut chart = frame(area).build_cartesian_2d(0.0..number(seconds) / unit, 0.0..top)?;
        axes(&mut chart, &|at| format!("{} {name}", trimmed(*at)), &|value| up(*value))?;
        for Line { ink, points, .. } in lines {
            let points = || points.iter().map(|(at, value)| (at / unit, *value));
            // Under several lines it would only be in the way.
            if lines.len() == 1 {
                chart.draw_series(AreaSeries::new(points(), 0.0, ink.color().mix(0.1)))?;
            }
            chart.draw_series(LineSeries::new(points(), ink.color().stroke_width(3)))?;
        }
        Ok(())
    })
}

/// A dot for each rate that was tried, full where the round was clean.
pub fn over_rate(dots: &[Dot], scale: Scale, up: &dyn Fn(f64) -> String) -> io::Result<String> {
    let values = || dots.iter().map(|dot| dot.value);
    let right = top(dots.iter().map(|dot| dot.rate), 0.0);
    drawn(|area| {
        let mut frame = frame(area);
        match scale {
            Scale::Even(least) => rounds(frame.build_cartesian_2d(0.0..right, 0.0..top(values(), least))?, dots, up),
            Scale::Tenfold => {
                let least = 10f64.powf(values().fold(f64::MAX, f64::min).log10().floor());
                let most = 10f64.powf(values().fold(f64::MIN, f64::max).log10().ceil()).max(10.0 * least);
                // A little wider, or rounding takes the outermost lines.
                rounds(frame.build_cartesian_2d(0.0..right, (0.99 * least..1.01 * most).log_scale())?, dots, up)
            }
        }
    })
}

fn rounds<Y>(mut chart: Sketch<Y>, dots: &[Dot], up: &dyn Fn(f64) -> String) -> Result<(), Failure>
where
    Y: Ranged<ValueType = f64> + ValueFormatter<f64>,
{
    axes(&mut chart, &|rate| format!("{}/s", trimmed(*rate)), &|value| up(*value))?;
    chart.draw_series(LineSeries::new(dots.iter().map(|dot| (dot.rate, dot.value)), Ink::Grey.color().stroke_width(2)))?;
    chart.draw_series(dots.iter().map(|Dot { rate, value, clean }| {
        let style = if *clean { Ink::Good.color().filled() } else { Ink::Bad.color().stroke_width(4) };
        Circle::new((*rate, *value), if *clean { 9 } else { 8 }, style)
    }))?;
    Ok(())
}

fn drawn(paint: impl FnOnce(&DrawingArea<SVGBackend, Shift>) -> Result<(), Failure>) -> io::Result<String> {
    let mut svg = String::new();
    let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
    paint(&area).and_then(|()| area.present()).map_err(io::Error::other)?;
    drop(area);
    // Inside a page it says nothing, and it would be the only address there.
    Ok(svg.replacen(" xmlns=\"http://www.w3.org/2000/svg\"", "", 1))
}

fn frame<'a, 'b>(area: &'a DrawingArea<SVGBackend<'b>, Shift>) -> ChartBuilder<'a, 'a, SVGBackend<'b>> {
    let mut frame = ChartBuilder::on(area);
    frame.margin_top(18).margin_right(36).x_label_area_size(52).y_label_area_size(112);
    frame
}

/// Level lines and numbers, nothing else.
fn axes<Y>(chart: &mut Sketch<Y>, across: &dyn Fn(&f64) -> String, up: &dyn Fn(&f64) -> String) -> Result<(), Failure>
where
    Y: Ranged<ValueType = f64> + ValueFormatter<f64>,
{
    let mut mesh = chart.configure_mesh();
    mesh.disable_x_mesh().bold_line_style(LINE.stroke_width(2)).light_line_style(TRANSPARENT).axis_style(TRANSPARENT);
    mesh.set_all_tick_mark_size(8)
        .label_style(LABELS.into_font().color(&LABEL))
        .x_labels(7)
        .y_labels(5)
        .x_label_formatter(across)
        .y_label_formatter(up);
    mesh.draw()
}

/// The end of a scale: a little above all that it must hold.
fn top(values: impl Iterator<Item = f64>, least: f64) -> f64 {
    1.05 * values.fold(least, f64::max)
}

fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
