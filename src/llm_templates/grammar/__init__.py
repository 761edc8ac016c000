"""Output to message, and prompt to conversation, by what a template itself shows of how it writes them.

- What an output looks like: `grammar` is the data, `layout` the way its literal texts are written; `data` reads and
  writes it, `overrides` adds what families say.
- Where it comes from: `derive` renders the conversations of `probes` on a `stage`, and reads markers off their
  `differences`.
- How an output is read: `parser` feeds a `machine` that reads a `cursor` by `tables` made of the grammar; `calls` and
  the dialects of arguments read tool calls; a `collector` makes events and the message.
- How a whole prompt is read: `transcript` derives the `turns`, `splitting` finds them in a prompt, `reading` verifies.
- What others use for it: `response_template` and `structure`.
"""
