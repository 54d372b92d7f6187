//! Pictures of products.

pub mod axes;
pub mod bispectrum;
pub mod cross;
pub mod dynamical;
pub mod energy;
pub mod histogram;
pub mod light_curve;
pub mod matrix;
pub mod pulsation;

use eagleray::Result;
use eagleray::data::Product;

/// A product with its picture.
pub trait Drawn: Product {
    /// Draws the product as its command does where nothing else is asked for, as .svg or .png.
    ///
    /// # Errors
    /// The name is neither, the file exists and `overwrite` is false, it cannot be written, or there is no value to draw.
    fn draw(&self, path: &str, overwrite: bool) -> Result<()>;

    /// Writes the product as its own `write` does: one table, if nothing else is said.
    ///
    /// # Errors
    /// The file exists and `overwrite` is false, or it cannot be written.
    fn write(&self, path: &str, overwrite: bool) -> Result<()> {
        self.table().write(path, overwrite)
    }
}
