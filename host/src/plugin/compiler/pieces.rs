//! The functions that do in pieces what a bulk-memory instruction does at once. They trap where it traps, before anything is
//! written, and copies may overlap as its copies may.

use wasm_encoder::{BlockType, Function, InstructionSink};

/// How much one instruction does at most: the kernel provides so much in some 10 us.
pub const PIECE: u32 = 64 << 10;
/// Bits of the size of a page of a memory.
const PAGE_BITS: i64 = 16;
/// The type of the functions, in the binary format: three numbers of 32 bits, and no result.
pub const FUNCTION_TYPE: [u8; 6] = [0x60, 3, 0x7f, 0x7f, 0x7f, 0];

/// The three operands, which are the parameters.
const TO: u32 = 0;
const FROM: u32 = 1;
const VALUE: u32 = 1;
const LENGTH: u32 = 2;

/// A bulk-memory instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bulk {
    Fill { memory: u32 },
    Copy { to: u32, from: u32 },
}

impl Bulk {
    pub fn function(self) -> Function {
        let mut function = Function::new([]);
        let mut code = function.instructions();
        code.block(BlockType::Empty);
        // What is small is done at once, and so is what traps.
        leave_unless_large(&mut code);
        match self {
            Self::Fill { memory } => {
                leave_if_beyond(&mut code, TO, memory);
                self.forward(&mut code);
            }
            Self::Copy { to, from } => {
                leave_if_beyond(&mut code, TO, to);
                leave_if_beyond(&mut code, FROM, from);
                code.local_get(TO).local_get(FROM).i32_le_u().if_(BlockType::Empty);
                self.forward(&mut code);
                code.else_();
                self.backward(&mut code);
                code.end();
            }
        }
        code.end();
        self.once(code.local_get(TO).local_get(VALUE).local_get(LENGTH));
        code.end();
        function
    }

    /// From the front on, for as long as more than a piece is left.
    fn forward(self, code: &mut InstructionSink<'_>) {
        code.loop_(BlockType::Empty);
        self.once(code.local_get(TO).local_get(VALUE).i32_const(PIECE as i32));
        further(code, TO);
        if matches!(self, Self::Copy { .. }) {
            further(code, FROM);
        }
        shorter(code);
        again_while_large(code);
    }

    /// From the end on: the target lies behind the source, and may overlap it.
    fn backward(self, code: &mut InstructionSink<'_>) {
        code.loop_(BlockType::Empty);
        shorter(code);
        code.local_get(TO).local_get(LENGTH).i32_add();
        code.local_get(FROM).local_get(LENGTH).i32_add();
        self.once(code.i32_const(PIECE as i32));
        again_while_large(code);
    }

    /// The instruction itself.
    fn once(self, code: &mut InstructionSink<'_>) {
        match self {
            Self::Fill { memory } => code.memory_fill(memory),
            Self::Copy { to, from } => code.memory_copy(to, from),
        };
    }
}

fn leave_unless_large(code: &mut InstructionSink<'_>) {
    code.local_get(LENGTH).i32_const(PIECE as i32).i32_le_u().br_if(0);
}

/// Leaves the block where what begins at this place ends beyond the memory.
fn leave_if_beyond(code: &mut InstructionSink<'_>, place: u32, memory: u32) {
    code.local_get(place).i64_extend_i32_u().local_get(LENGTH).i64_extend_i32_u().i64_add();
    code.memory_size(memory).i64_extend_i32_u().i64_const(PAGE_BITS).i64_shl().i64_gt_u().br_if(0);
}

fn further(code: &mut InstructionSink<'_>, place: u32) {
    code.local_get(place).i32_const(PIECE as i32).i32_add().local_set(place);
}

fn shorter(code: &mut InstructionSink<'_>) {
    code.local_get(LENGTH).i32_const(PIECE as i32).i32_sub().local_set(LENGTH);
}

/// Ends a loop.
fn again_while_large(code: &mut InstructionSink<'_>) {
    code.local_get(LENGTH).i32_const(PIECE as i32).i32_gt_u().br_if(0).end();
}
