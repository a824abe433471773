/**
 * The bytes of an ONNX model that is one matrix product, `y = x @ w`. An ONNX file is a protocol buffer: fields of a
 * number and a value, where a value is a whole number or some bytes with their length before them. Field numbers are
 * those of onnx.proto (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).
 */

const WHOLE_NUMBER = 0;
const BYTES = 2;

/** Seven bits a byte, the lowest first; the eighth bit says that more follow. @param {number} value */
function varint(value) {
  const bytes = [];
  for (; value >= 0x80; value = Math.floor(value / 0x80)) bytes.push((value % 0x80) | 0x80);
  return Buffer.from([...bytes, value]);
}

/** @param {number} field @param {number | string | Buffer} value */
function field(field, value) {
  if (typeof value === 'number') return Buffer.concat([varint(field * 8 + WHOLE_NUMBER), varint(value)]);
  const bytes = Buffer.from(value);
  return Buffer.concat([varint(field * 8 + BYTES), varint(bytes.length), bytes]);
}

/** @param {...Buffer} fields */
const message = (...fields) => Buffer.concat(fields);

/** A ValueInfoProto: a float32 tensor `[rows, columns]`. @param {string} name @param {number} rows @param {number} columns */
function matrix(name, rows, columns) {
  const FLOAT = 1;
  const dimension = (/** @type {number} */ size) => field(1, message(field(1, size)));
  const shape = message(dimension(rows), dimension(columns));
  const tensor = message(field(1, FLOAT), field(2, shape));
  return message(field(1, name), field(2, message(field(1, tensor))));
}

/**
 * A ModelProto of `x [rows, inputs] @ w [inputs, outputs] = y [rows, outputs]`.
 * @param {number} rows @param {number} inputs @param {number} outputs
 */
export function matmulModel(rows, inputs, outputs) {
  const IR_VERSION = 8;
  const OPERATORS_VERSION = 13;
  const node = message(field(1, 'x'), field(1, 'w'), field(2, 'y'), field(4, 'MatMul'));
  const graph = message(
    field(1, node),
    field(2, 'product'),
    field(11, matrix('x', rows, inputs)),
    field(11, matrix('w', inputs, outputs)),
    field(12, matrix('y', rows, outputs)),
  );
  return message(field(1, IR_VERSION), field(7, graph), field(8, message(field(2, OPERATORS_VERSION))));
}
