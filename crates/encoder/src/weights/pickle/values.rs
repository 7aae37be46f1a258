//! Values of the pickle machine's stack.

use crate::dtype::Dtype;

/// A value. Containers are indices into the machine's tables, so a value is small and never nested.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value {
    None,
    Bool,
    Int(i64),
    Float,
    /// Bytes `start..end` of the pickle, checked to be UTF-8.
    Text(usize, usize),
    Tuple(usize),
    List(usize),
    Dict(usize),
    Callable(Callable),
    /// The class of a storage.
    Class(Dtype),
    Storage(usize),
    Tensor(usize),
}

impl Value {
    /// The kind of value, for errors.
    pub(super) fn kind(self) -> &'static str {
        match self {
            Self::None => "None",
            Self::Bool => "a bool",
            Self::Int(_) => "an int",
            Self::Float => "a float",
            Self::Text(..) => "a str",
            Self::Tuple(_) => "a tuple",
            Self::List(_) => "a list",
            Self::Dict(_) => "a dict",
            Self::Callable(_) | Self::Class(_) => "a global",
            Self::Storage(_) => "a storage",
            Self::Tensor(_) => "a tensor",
        }
    }
}

/// Callables: each only describes data.
#[derive(Clone, Copy, Debug)]
pub(super) enum Callable {
    /// `collections.OrderedDict`.
    OrderedDict,
    /// `torch._utils._rebuild_tensor_v2`.
    Tensor,
    /// `torch._utils._rebuild_parameter`.
    Parameter,
}

/// The value of a global; `None` for all that is not needed to hold tensors.
pub(super) fn global(module: &str, name: &str) -> Option<Value> {
    match (module, name) {
        ("collections", "OrderedDict") => Some(Value::Callable(Callable::OrderedDict)),
        ("torch._utils", "_rebuild_tensor_v2") => Some(Value::Callable(Callable::Tensor)),
        ("torch._utils", "_rebuild_parameter") => Some(Value::Callable(Callable::Parameter)),
        ("torch", class) => Dtype::from_torch_storage(class).map(Value::Class),
        _ => None,
    }
}

/// A block of numbers, in an archive entry of its own.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Storage {
    /// Name of the entry under `data/`.
    pub(crate) key: String,
    pub(crate) dtype: Dtype,
    /// Number of elements.
    pub(crate) len: usize,
}

/// A tensor: a view of a storage, checked to stay within it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TensorView {
    pub(crate) storage: Storage,
    /// First element.
    pub(crate) offset: usize,
    pub(crate) shape: Vec<usize>,
    /// Distance of neighbours along each axis, in elements; `None` when it is the row-major one.
    pub(crate) strides: Option<Vec<usize>>,
    /// Elements from the first to the last, both included.
    pub(crate) span: usize,
}

impl TensorView {
    /// The view, if its elements are all inside the storage and none is used twice over.
    pub(super) fn checked(
        storage: Storage,
        offset: usize,
        shape: Vec<usize>,
        strides: Vec<usize>,
    ) -> Option<Self> {
        let count = shape.iter().try_fold(1_usize, |n, size| n.checked_mul(*size))?;
        let steps = shape.iter().zip(&strides).try_fold(0_usize, |steps, (size, stride)| {
            steps.checked_add(size.saturating_sub(1).checked_mul(*stride)?)
        })?;
        let span = if count == 0 { 0 } else { steps.checked_add(1)? };
        // More elements than the span has would come from strides of zero: an expanded tensor,
        // which can be far larger than the file.
        let fits = offset.checked_add(span)? <= storage.len && count <= span;
        let plain = span == count && is_row_major(&shape, &strides);
        fits.then_some(Self {
            storage,
            offset,
            shape,
            strides: (!plain && count > 0).then_some(strides),
            span,
        })
    }
}

/// True if elements follow each other; axes of size one may have any stride.
fn is_row_major(shape: &[usize], strides: &[usize]) -> bool {
    let mut expected = 1_usize;
    shape.iter().zip(strides).rev().all(|(size, stride)| {
        let right = *size == 1 || *stride == expected;
        expected = expected.saturating_mul(*size);
        right
    })
}
