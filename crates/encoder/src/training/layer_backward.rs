//! The backward pass through a layer.

use super::activation;
use super::gating;
use super::gradients::Gradients;
use super::layer::{Layer, LayerRoom, LayerTape, Pass};
use super::noise::drop_rows;
use crate::config::Norms;
use crate::forward::{Direction, padded};
use crate::kernels::{Rows, add};

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
        self.rotate(&pass.asked.places, (queries, self.hidden), Direction::Backward);
        let keys = (&mut keys_values[..], padded(2 * self.hidden));
        self.rotate(&pass.batch.every.places, keys, Direction::Backward);
        self.back_input(pass, tape, (room, gradients), gradient, is_lowest);
    }

    /// From the outputs to those of attention's half.
    fn back_feed_forward(
        &self,
        pass: Pass<'_>,
        tape: &LayerTape,
        (room, gradients): (&mut LayerRoom, &mut Gradients),
        gradient: &mut [f32],
    ) {
        let (hidden, count) = (self.hidden, pass.asked.count());
        let (inner, stride, places) = (self.intermediate, self.wide_stride(), &pass.asked.places);
        let LayerRoom { activated, wide, inner: narrow, weights, norm, .. } = room;
        match self.norm_behind(pass, Some(self.norm), self.out_mask(pass)) {
            Some(behind) => {
                behind.back(&tape.norm, gradient, Some(narrow), (norm, self.norm, &mut *gradients));
            }
            None => {
                narrow.clear();
                narrow.extend_from_slice(gradient);
                drop_rows(self.out_mask(pass), places, narrow, hidden, hidden);
            }
        }
        let out = Rows::new(narrow, hidden, count, hidden);
        wide.resize(count * stride, 0.0);
        activated.resize(count * stride, 0.0);
        self.down.back_strided(out, wide, stride);
        drop_rows(self.inside_mask(pass), places, wide, stride, inner);
        if self.is_gated {
            gating::back(self.isa, self.activation, (&tape.wide, stride), inner, (wide, activated));
        } else {
            activation::back(self.isa, self.activation, &tape.wide, wide, activated);
        }
        drop_rows(self.inside_mask(pass), places, activated, stride, inner);
        weights.add(out, Rows::new(activated, stride, count, inner), self.down.ids(), gradients);
        let wide = Rows::new(wide, stride, count, self.up.outs());
        weights.add(wide, Rows::new(self.between(tape), hidden, count, hidden), self.up.ids(), gradients);
        match self.norms {
            Norms::After => self.up.back(wide, gradient, true),
            Norms::Before => {
                self.up.back(wide, narrow, false);
                let before = self.norm_of(pass, self.norm, places);
                before.back(&tape.norm, narrow, None, (norm, self.norm, gradients));
                add(gradient, narrow, hidden);
            }
        }
    }

    /// From the output of attention's half to attention's results, whose gradients are left in the room, and to the residual.
    fn back_attention_out(
        &self,
        pass: Pass<'_>,
        tape: &LayerTape,
        (room, gradients): (&mut LayerRoom, &mut Gradients),
        gradient: &mut [f32],
    ) {
        let (hidden, count) = (self.hidden, pass.asked.count());
        let LayerRoom { inner, mixed, weights, norm, .. } = room;
        let mask = self.attention_mask(pass);
        match (self.norm_behind(pass, self.attention_norm, mask), self.attention_norm) {
            (Some(behind), Some(ids)) => {
                behind.back(&tape.attention_norm, gradient, Some(inner), (norm, ids, &mut *gradients));
            }
            _ => {
                inner.clear();
                inner.extend_from_slice(gradient);
                drop_rows(mask, &pass.asked.places, inner, hidden, hidden);
            }
        }
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
        let asked = Rows::new(self.entered_asked(&pass, tape), hidden, count, hidden);
        room.weights.add(queries, asked, self.query.ids(), gradients);
        let keys_values = Rows::new(&room.keys_values, padded(2 * hidden), tokens, 2 * hidden);
        let entered = Rows::new(self.entered(&pass, tape), hidden, tokens, hidden);
        room.weights.add(keys_values, entered, self.keys_values.ids(), gradients);
        if let Some(ids) = self.norm_before() {
            room.inner.resize(tokens * hidden, 0.0);
            self.keys_values.back(keys_values, &mut room.inner, false);
            room.mixed.resize(count * hidden, 0.0);
            self.query.back(queries, &mut room.mixed, false);
            pass.asked.scatter(&room.mixed, hidden, &mut room.inner);
            let before = self.norm_of(pass, ids, &pass.batch.every.places);
            before.back(&tape.attention_norm, &mut room.inner, None, (&mut room.norm, ids, gradients));
            pass.asked.scatter(gradient, hidden, &mut room.inner);
            std::mem::swap(gradient, &mut room.inner);
            return;
        }
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
