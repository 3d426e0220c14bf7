//! The four corners of a sheet of paper, from its outline.

/// The sheet fills at least this part of the quadrilateral around it; a rounder or torn shape is not a rectangle in perspective.
const MIN_FILLED: f32 = 0.9;
/// A side this near to the image's, as a part of the image's longer side, is where the sheet runs out of the image.
const NEAR_EDGE: f32 = 0.015;
/// Greatest number of such sides.
const MAX_CUT_SIDES: usize = 1;
/// Greatest distance of a corner beyond the image, as a part of its longer side.
const MAX_OUTSIDE: f32 = 0.1;

type Point = (f32, f32);

/// The corners of the quadrilateral around a shape, from the upper left clockwise; `None` if it is not one. `spans` are its columns by row,
/// as first and one past the last; `(0, 0)` where a row has none.
pub(super) fn corners(spans: &[(usize, usize)], width: usize) -> Option<[Point; 4]> {
    let mut outline = hull(spans);
    let area: usize = spans.iter().map(|(first, end)| end - first).sum();
    while outline.len() > 4 {
        let (at, corner) = least_corner(&outline)?;
        outline[at] = corner;
        outline.remove((at + 1) % outline.len());
    }
    let quad: [Point; 4] = outline.try_into().ok()?;
    let size = (width as f32, spans.len() as f32);
    let reach = MAX_OUTSIDE * size.0.max(size.1);
    let is_near = |(x, y): Point| {
        (-reach..=size.0 + reach).contains(&x) && (-reach..=size.1 + reach).contains(&y)
    };
    let cut = (0..4)
        .filter(|&i| is_cut(quad[i], quad[(i + 1) % 4], size))
        .count();
    let is_sheet = quad.iter().all(|&corner| is_near(corner))
        && cut <= MAX_CUT_SIDES
        && area as f32 >= MIN_FILLED * area_of(&quad);
    is_sheet.then(|| from_upper_left(quad))
}

/// The convex hull of the spans, clockwise on the page (Andrew's monotone chain).
fn hull(spans: &[(usize, usize)]) -> Vec<Point> {
    let rows = spans.iter().enumerate().filter(|(_, span)| span.0 < span.1);
    let mut points: Vec<Point> = rows
        .flat_map(|(y, &(first, end))| {
            [y, y + 1].map(|y| [(first as f32, y as f32), (end as f32, y as f32)])
        })
        .flatten()
        .collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let half = |points: &mut dyn Iterator<Item = Point>| {
        let mut chain: Vec<Point> = Vec::new();
        for point in points {
            while let [.., a, b] = chain[..] {
                if turn(a, b, point) > 0.0 {
                    break;
                }
                chain.pop();
            }
            chain.push(point);
        }
        chain.pop();
        chain
    };
    let mut outline = half(&mut points.iter().copied());
    outline.extend(half(&mut points.iter().rev().copied()));
    outline
}

/// Positive where the way from a over b to c turns clockwise on the page.
fn turn(a: Point, b: Point, c: Point) -> f32 {
    (b.0 - a.0) * (c.1 - b.1) - (b.1 - a.1) * (c.0 - b.0)
}

/// The side whose replacement by a corner, where its neighbours meet, adds the least area: the index of its first point, and the corner.
fn least_corner(outline: &[Point]) -> Option<(usize, Point)> {
    let count = outline.len();
    (0..count)
        .filter_map(|at| {
            let [a, b, c, d] = [count - 1, 0, 1, 2].map(|step| outline[(at + step) % count]);
            let (along, side) = ((b.0 - a.0, b.1 - a.1), (d.0 - c.0, d.1 - c.1));
            let cross = along.0 * side.1 - along.1 * side.0;
            // Neighbours that turn by half a circle or more meet on the other side, or nowhere.
            if cross <= 0.0 {
                return None;
            }
            let reach = ((c.0 - b.0) * side.1 - (c.1 - b.1) * side.0) / cross;
            let corner = (b.0 + reach * along.0, b.1 + reach * along.1);
            (reach >= 0.0).then(|| (turn(b, corner, c).abs(), at, corner))
        })
        .min_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, at, corner)| (at, corner))
}

fn area_of(quad: &[Point; 4]) -> f32 {
    let cross = |i: usize| {
        let (a, b) = (quad[i], quad[(i + 1) % 4]);
        a.0 * b.1 - a.1 * b.0
    };
    (0..4).map(cross).sum::<f32>().abs() / 2.0
}

/// Whether a side lies along a side of the image.
fn is_cut(a: Point, b: Point, (width, height): (f32, f32)) -> bool {
    let near = NEAR_EDGE * width.max(height);
    let both = |test: &dyn Fn(Point) -> bool| test(a) && test(b);
    both(&|(x, _)| x <= near)
        || both(&|(x, _)| x >= width - near)
        || both(&|(_, y)| y <= near)
        || both(&|(_, y)| y >= height - near)
}

/// The same corners, beginning with the one that is first when the sheet is turned by less than 45 degrees.
fn from_upper_left(mut quad: [Point; 4]) -> [Point; 4] {
    let sum = |i: usize| quad[i].0 + quad[i].1;
    let first = (0..4)
        .min_by(|&a, &b| sum(a).total_cmp(&sum(b)))
        .unwrap_or(0);
    quad.rotate_left(first);
    quad
}
