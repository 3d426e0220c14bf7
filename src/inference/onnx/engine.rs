//! Runs ONNX models: with the crate rten where kiln was built with it, else there are none.

#[cfg(feature = "onnx")]
pub use with_rten::Engine;
#[cfg(not(feature = "onnx"))]
pub use without::Engine;

#[cfg(feature = "onnx")]
mod with_rten {
    use std::panic::AssertUnwindSafe;
    use std::path::Path;
    use std::sync::Arc;

    use rten::{LoadError, LoadErrorKind, Model, RunOptions, ThreadPool, Value};
    use rten_tensor::{Layout, Tensor};

    use crate::error::{FileError, one_line};
    use crate::files;
    use crate::inference::onnx::preparation::Values;
    use crate::onnx::with_convolution_defaults;
    use crate::panics::catch_panic;

    /// Largest file that is read, in bytes: the limit of protocol buffers.
    const MAX_FILE_BYTES: u64 = 2 << 30;

    /// A model in memory.
    pub struct Engine {
        model: Model,
        options: RunOptions,
    }

    impl Engine {
        /// Reads a model. If it is not `complete`, some of its weights are in other files beside it.
        ///
        /// # Errors
        /// The file can't be read, or is not a model that rten can run.
        pub fn load(path: &Path, complete: bool) -> Result<Self, FileError> {
            // The crate may panic on what it has never seen.
            let load = || {
                if !complete {
                    return Ok(Model::load_file(path));
                }
                let bytes = files::read(path, MAX_FILE_BYTES);
                let bytes = bytes.map_err(|error| FileError::named(path, error))?;
                Ok(Model::load(with_convolution_defaults(bytes)))
            };
            let model = catch_panic(load)
                .ok_or_else(|| FileError::new(path, "the crate rten can't load this model"))??
                .map_err(|error| refusal(path, &error))?;
            let pool = ThreadPool::with_num_threads(rayon::current_num_threads());
            let options = RunOptions::default().with_thread_pool(Some(Arc::new(pool)));
            Ok(Self { model, options })
        }

        /// Runs a batch of the shape `dims` from the named input to the named output: that one's shape and values.
        ///
        /// # Errors
        /// One problem without the file's name.
        pub fn run(
            &self,
            (input, output): (&str, &str),
            dims: [usize; 4],
            values: Values,
        ) -> Result<(Vec<usize>, Vec<f32>), String> {
            let run = AssertUnwindSafe(|| self.run_batch(input, output, dims, values));
            catch_panic(run).unwrap_or_else(|| Err("the crate rten fails on this model".into()))
        }

        fn run_batch(
            &self,
            input: &str,
            output: &str,
            dims: [usize; 4],
            values: Values,
        ) -> Result<(Vec<usize>, Vec<f32>), String> {
            let batch = match values {
                Values::Floats(values) => Value::from_shape(dims, values).map_err(one_line)?,
                Values::Bytes(values) => Value::from_shape(dims, values).map_err(one_line)?,
            };
            let [input, output] = [input, output].map(|name| self.model.node_id(name));
            let (input, output) = (input.map_err(one_line)?, output.map_err(one_line)?);
            let inputs = vec![(input, batch.into())];
            let options = Some(self.options.clone());
            let [found] = self
                .model
                .run_n(inputs, [output], options)
                .map_err(|error| format!("it can't be run: {}", one_line(error)))?;
            let found: Tensor<f32> = found.try_into().map_err(one_line)?;
            Ok((found.shape().to_vec(), found.into_data()))
        }
    }

    /// Why a model can't be loaded.
    fn refusal(path: &Path, error: &LoadError) -> FileError {
        let problem = |what: &str| FileError::new(path, format!("{what}: {}", one_line(error)));
        match error.kind() {
            LoadErrorKind::ExternalDataError => {
                let stem = path.file_stem().unwrap_or_default().to_string_lossy();
                let [file, new] = [path, &path.with_file_name(format!("{stem}_whole.onnx"))]
                    .map(|path| path.to_string_lossy().into_owned());
                problem("its weights in other files can't be read").advise(format!(
                    "put them beside it under their own names; if Python can read them, it writes one file: import onnx; \
                     onnx.save(onnx.load({file:?}), {new:?})"
                ))
            }
            LoadErrorKind::OperatorInvalid => {
                problem("it has an operator that kiln can't run (crate rten)")
                    .advise("export it with standard ONNX operators")
            }
            _ => problem("the crate rten can't load this model"),
        }
    }
}

#[cfg(not(feature = "onnx"))]
mod without {
    use std::path::Path;

    use crate::error::FileError;
    use crate::inference::onnx::preparation::Values;

    /// There is none.
    pub enum Engine {}

    impl Engine {
        /// Refuses the model.
        ///
        /// # Errors
        /// Always.
        pub fn load(path: &Path, _complete: bool) -> Result<Self, FileError> {
            Err(
                FileError::new(path, "this kiln was built without what runs ONNX models")
                    .advise("build it with `cargo build --release --features onnx`")
                    .usage(),
            )
        }

        /// Never called.
        ///
        /// # Errors
        /// None.
        pub fn run(
            &self,
            _names: (&str, &str),
            _dims: [usize; 4],
            _values: Values,
        ) -> Result<(Vec<usize>, Vec<f32>), String> {
            match *self {}
        }
    }
}
