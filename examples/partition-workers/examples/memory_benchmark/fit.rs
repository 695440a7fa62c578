//! What a worker and a partition cost: base + a × workers + b × partitions, by least squares.

mod student;

use std::collections::BTreeMap;

use serde::Serialize;

use super::cell::Cell;

/// The base, a worker, a partition.
const TERMS: usize = 3;

/// What was fitted to one figure.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Fit {
    /// With no worker and no partition.
    pub(crate) base: Estimate,
    /// What each worker adds.
    pub(crate) worker: Estimate,
    /// What each partition adds.
    pub(crate) partition: Estimate,
    /// The standard deviation of the samples from the plane.
    pub(crate) residual: f64,
    /// The cell whose mean is farthest from the plane, and by how much; `None` where the cells lie on any plane.
    pub(crate) worst: Option<(Cell, f64)>,
    pub(crate) samples: usize,
}

impl Fit {
    /// By what share of what the plane says the cell is off that is farthest from it.
    pub(crate) fn worst_share(&self) -> Option<f64> {
        let (cell, off) = self.worst?;
        let [base, workers, partitions] = terms(cell);
        let plane = base * self.base.value + workers * self.worker.value + partitions * self.partition.value;
        Some((off / plane).abs())
    }
}

/// A coefficient with its 95 % interval: `value - margin` to `value + margin`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Estimate {
    pub(crate) value: f64,
    pub(crate) margin: f64,
}

impl Estimate {
    /// Whether the interval leaves out 0: if not, there is no figure to be stated.
    pub(crate) fn is_told(&self) -> bool {
        self.value.abs() > self.margin
    }
}

/// Fits a plane to samples.
///
/// The samples of a cell are no independent evidence of how well the plane describes the cells: where the cells lie off it by more
/// than their samples differ, the margin is that of the cells' means, whose degrees of freedom are few. It is the wider of the two.
///
/// # Errors
///
/// Why there can be no figure: too few samples, or cells that do not tell workers and partitions apart.
pub(crate) fn fit(samples: &[(Cell, f64)]) -> Result<Fit, String> {
    let cells = by_cell(samples);
    let inverse = inverse(&moments(samples)).ok_or_else(|| {
        "these configurations cannot tell workers from partitions (measure three or more that differ in both)".to_owned()
    })?;
    let free = samples.len() - TERMS; // OK because an inverse takes three cells
    if free == 0 {
        return Err("as many samples as unknowns leave no interval (measure more repeats)".into());
    }
    let sums = samples.iter().fold([0.0; TERMS], |sums, (cell, value)| {
        let terms = terms(*cell);
        std::array::from_fn(|term| sums[term] + terms[term] * value)
    });
    let plane: [f64; TERMS] =
        std::array::from_fn(|row| (0..TERMS).map(|column| inverse[row][column] * sums[column]).sum());
    let at = |cell: Cell| terms(cell).iter().zip(plane).map(|(term, slope)| term * slope).sum::<f64>();
    let square = samples.iter().map(|(cell, value)| (value - at(*cell)).powi(2)).sum::<f64>();
    // What the arithmetic rounds off is no spread, and no cost.
    let largest = samples.iter().map(|(_, value)| value.abs()).fold(0.0, f64::max);
    let or_zero = |value: f64| if value.abs() < largest * 1e-9 { 0.0 } else { value };
    let residual = or_zero((square / count(free)).sqrt());
    let spread = or_zero((student::quantile_95(free) * residual).max(between(&cells, at)));
    let estimate = |term: usize| Estimate {
        value: or_zero(plane[term]),
        margin: spread * inverse[term][term].max(0.0).sqrt(),
    };
    Ok(Fit {
        base: estimate(0),
        worker: estimate(1),
        partition: estimate(2),
        residual,
        worst: (cells.len() > TERMS).then(|| worst(&cells, at)).map(|(cell, off)| (cell, or_zero(off))),
        samples: samples.len(),
    })
}

fn by_cell(samples: &[(Cell, f64)]) -> BTreeMap<Cell, Vec<f64>> {
    let mut cells = BTreeMap::<Cell, Vec<f64>>::new();
    samples.iter().for_each(|(cell, value)| cells.entry(*cell).or_default().push(*value));
    cells
}

fn terms(cell: Cell) -> [f64; TERMS] {
    [1.0, f64::from(cell.workers), f64::from(cell.partitions)]
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / count(values.len())
}

/// What multiplies the root of the inverse's diagonal, by the cells' means; 0 where these lie on any plane.
fn between(cells: &BTreeMap<Cell, Vec<f64>>, at: impl Fn(Cell) -> f64) -> f64 {
    let Some(free) = cells.len().checked_sub(TERMS).filter(|free| *free > 0) else { return 0.0 };
    let off = |(cell, values): (&Cell, &Vec<f64>)| count(values.len()) * (mean(values) - at(*cell)).powi(2);
    student::quantile_95(free) * (cells.iter().map(off).sum::<f64>() / count(free)).sqrt()
}

fn worst(cells: &BTreeMap<Cell, Vec<f64>>, at: impl Fn(Cell) -> f64) -> (Cell, f64) {
    let off = cells.iter().map(|(cell, values)| (*cell, mean(values) - at(*cell)));
    // OK because an inverse of the moments takes three cells.
    off.max_by(|left, right| left.1.abs().total_cmp(&right.1.abs())).expect("there are cells")
}

/// The sums of the products of each two terms.
fn moments(samples: &[(Cell, f64)]) -> [[f64; TERMS]; TERMS] {
    let sum = |row: usize, column: usize| {
        samples.iter().map(|(cell, _)| terms(*cell)[row] * terms(*cell)[column]).sum()
    };
    std::array::from_fn(|row| std::array::from_fn(|column| sum(row, column)))
}

/// By Cramer's rule; `None` of a matrix that is singular, or nearly.
fn inverse(of: &[[f64; TERMS]; TERMS]) -> Option<[[f64; TERMS]; TERMS]> {
    let cofactor = |row: usize, column: usize| {
        let (r1, r2) = ((row + 1) % TERMS, (row + 2) % TERMS);
        let (c1, c2) = ((column + 1) % TERMS, (column + 2) % TERMS);
        of[r1][c1] * of[r2][c2] - of[r1][c2] * of[r2][c1]
    };
    let determinant: f64 = (0..TERMS).map(|column| of[0][column] * cofactor(0, column)).sum();
    let size: f64 = (0..TERMS).map(|term| of[term][term]).product();
    let is_regular = determinant.abs() > size.abs() * 1e-10;
    is_regular
        .then(|| std::array::from_fn(|row| std::array::from_fn(|column| cofactor(column, row) / determinant)))
}

#[expect(clippy::cast_precision_loss, reason = "nobody has 2^53 samples")]
fn count(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests;
