const redacted = '[redacted]';

/**
 * A credential or decrypted value that prints as `[redacted]` wherever it is logged, inspected or serialised.
 * Only `reveal` gives the value; call it where the value is handed to the system that needs it.
 */
export class Secret<T> {
  readonly #value: T;

  constructor(value: T) {
    this.#value = value;
  }

  reveal(): T {
    return this.#value;
  }

  toString(): string {
    return redacted;
  }

  toJSON(): string {
    return redacted;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return redacted;
  }
}
