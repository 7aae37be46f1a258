//! The backward pass through a layer.

use super::activation;
use super::gradients::Gradients;
use super::layer::{Layer, LayerRoom, LayerTape, Pass};
use crate::forward::padded;
use crate::kernels::Rows;

impl Layer {
    /// Adds the gradients of the layer's parameters. `gradient` has those in its outputs, and then, unless nothing below is
    /// trained, those in its inputs, a row for each token.
    pub(super) fn back(
        &self,
        pass: Pass<'_>,
        tape: &LayerTape,
        (room, gradients): (&mut LayerRoom, &mut Gradients),
        gradient: &mut Vec<f32>,
        is_lowest: bool,
    ) {
        self.back_feed_forward(pass, tape, (room, gradients), gradient);
        self.back_attention_out(pass, tape, (room, gradients), gradient);
        let LayerRoom { attention, mixed, queries, keys_values, .. } = &mut *room;
        self.attention(&pass, tape).back(mixed, attention, queries, keys_values);
        self.back_input(pass, tape, (room, gradients), gradient, is_lowest);
    }

    /// From the outputs to the first normalisation's.
    fn back_feed_forward(
        &self,
        pass: Pass<'_>,
        tape: &LayerTape,
        (room, gradients): (&mut LayerRoom, &mut Gradients),
        gradient: &mut [f32],
    ) {
        let (hidden, count) = (self.hidden, pass.asked.count());
        let (inner, stride) = (self.up.outs(), self.wide_stride());
        let LayerRoom { activated, wide, inner: narrow, weights, norm, .. } = room;
        let sums = (norm, self.norm, &mut *gradients);
        self.second_norm(pass).back(&tape.norm, gradient, Some(narrow), sums);
        let narrow = Rows::new(narrow, hidden, count, hidden);
        wide.resize(count * stride, 0.0);
        activated.resize(count * stride, 0.0);
        self.down.back_strided(narrow, wide, stride);
        activation::back(self.isa, self.activation, &tape.wide, wide, activated);
        weights.add(narrow, Rows::new(activated, stride, count, inner), self.down.ids(), gradients);
        let wide = Rows::new(wide, stride, count, inner);
        weights.add(wide, Rows::new(&tape.middle, hidden, count, hidden), self.up.ids(), gradients);
        self.up.back(wide, gradient, true);
    }

    /// From the first normalisation's outputs to those of attention, which are left in the room, and to the residual.
    fn back_attention_out(
        &self,
        pass: Pass<'_>,
        tape: &LayerTape,
        (room, gradients): (&mut LayerRoom, &mut Gradients),
        gradient: &mut [f32],
    ) {
        let (hidden, count) = (self.hidden, pass.asked.count());
        let LayerRoom { inner, mixed, weights, norm, .. } = room;
        let sums = (norm, self.attention_norm, &mut *gradients);
        self.first_norm(pass).back(&tape.attention_norm, gradient, Some(inner), sums);
        let inner = Rows::new(inner, hidden, count, hidden);
        weights.add(inner, Rows::new(&tape.mixed, hidden, count, hidden), self.out.ids(), gradients);
        mixed.resize(count * hidden, 0.0);
        self.out.back(inner, mixed, false);
    }

    /// From queries, keys and values to the inputs.
    fn back_input(
        &self,
        pass: Pass<'_>,
        tape: &LayerTape,
        (room, gradients): (&mut LayerRoom, &mut Gradients),
        gradient: &mut Vec<f32>,
        is_lowest: bool,
    ) {
        let (hidden, count, tokens) = (self.hidden, pass.asked.count(), pass.batch.tokens());
        let queries = Rows::new(&room.queries, hidden, count, hidden);
        let asked = Rows::new(tape.residual(&pass), hidden, count, hidden);
        room.weights.add(queries, asked, self.query.ids(), gradients);
        let keys_values = Rows::new(&room.keys_values, padded(2 * hidden), tokens, 2 * hidden);
        let input = Rows::new(pass.input, hidden, tokens, hidden);
        room.weights.add(keys_values, input, self.keys_values.ids(), gradients);
        if is_lowest {
            return;
        }
        self.query.back(queries, gradient, true);
        if pass.asked.is_every {
            self.keys_values.back(keys_values, gradient, true);
        } else {
            room.inner.resize(tokens * hidden, 0.0);
            self.keys_values.back(keys_values, &mut room.inner, false);
            pass.asked.scatter(gradient, hidden, &mut room.inner);
            std::mem::swap(gradient, &mut room.inner);
        }
    }
}
