// OpenAI's own library for Node, unchanged, against a service: with_openai.mjs OPEN NARROW SECRET OTHER [CHECK]..., as
// with_openai.py; without checks, all.

import assert from "node:assert/strict";
import OpenAI from "openai";

const [open, narrow, secret, , ...chosen] = process.argv.slice(2);
const ENDLESS = { 2: -100 }; // without the token that ends it, an answer goes on as long as it may
// A grey picture of 2 x 2.
const PNG =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAAAAABX3VL4AAAADklEQVR4nGNoaGBoaAAABgYCASzBUNcAAAAASUVORK5CYII=";

const client = new OpenAI({ baseURL: `${open}/v1`, apiKey: "none", maxRetries: 0 });
const model = (await client.models.list()).data[0].id;
const messages = [
  { role: "system", content: "Be brief." },
  {
    role: "user",
    content: [
      { type: "image_url", image_url: { url: PNG } },
      { type: "text", text: "Describe the image." },
    ],
  },
];

async function fails(kind, promise) {
  const error = await promise.then(
    () => assert.fail("it was answered"),
    (error) => error,
  );
  assert.equal(error.constructor, kind, String(error));
  assert.ok(error.requestID);
  return error;
}

const checks = {
  async wholeAndStream() {
    const body = { model, messages, max_tokens: 24 };
    const whole = await client.chat.completions.create(body);
    const text = whole.choices[0].message.content;
    assert.ok(text);
    const stream = await client.chat.completions.create({
      ...body,
      stream: true,
      stream_options: { include_usage: true },
    });
    let streamed = "";
    let usage;
    for await (const chunk of stream) {
      streamed += chunk.choices[0]?.delta.content ?? "";
      usage = chunk.usage ?? usage;
    }
    assert.equal(streamed, text);
    assert.deepEqual(usage.completion_tokens, whole.usage.completion_tokens);
  },
  async streamHelper() {
    const runner = client.chat.completions.stream({ model, messages, max_tokens: 12, n: 2 });
    const final = await runner.finalChatCompletion();
    assert.equal(final.choices.length, 2);
    assert.ok(await runner.finalContent());
  },
  async schema() {
    const schema = {
      type: "object",
      properties: { kind: { enum: ["opacity", "none"] }, sure: { type: "boolean" } },
      required: ["kind", "sure"],
      additionalProperties: false,
    };
    const answer = await client.chat.completions.parse({
      model,
      messages,
      response_format: { type: "json_schema", json_schema: { name: "finding", schema, strict: true } },
    });
    assert.equal(typeof JSON.parse(answer.choices[0].message.content).sure, "boolean");
  },
  async logprobs() {
    const answer = await client.chat.completions.create({
      model,
      messages,
      max_tokens: 8,
      logprobs: true,
      top_logprobs: 3,
    });
    const [choice] = answer.choices;
    assert.equal(choice.logprobs.content.map((token) => token.token).join(""), choice.message.content);
  },
  async errorsHaveTypes() {
    const missing = await fails(
      OpenAI.NotFoundError,
      client.chat.completions.create({ model: "gpt-none", messages }),
    );
    assert.equal(missing.code, "model_not_found");
    const url = [{ type: "image_url", image_url: { url: "https://example.invalid/a.png" } }];
    const remote = await fails(
      OpenAI.BadRequestError,
      client.chat.completions.create({ model, messages: [{ role: "user", content: url }] }),
    );
    assert.equal(remote.code, "unsupported_image_url");
    await fails(OpenAI.AuthenticationError, new OpenAI({ baseURL: `${narrow}/v1`, apiKey: "sk-wrong" }).models.list());
  },
  async whoIsRefusedDoesNotComeAgain() {
    let sent = 0;
    const counted = (url, options) => {
      sent += 1;
      return fetch(url, options);
    };
    const crowd = new OpenAI({ baseURL: narrow, apiKey: secret, fetch: counted });
    assert.equal(crowd.maxRetries, 2);
    const ask = async () => {
      try {
        const stream = await crowd.chat.completions.create({
          model,
          messages: [{ role: "user", content: "Go on." }],
          max_tokens: 900,
          logit_bias: ENDLESS,
          stream: true,
        });
        for await (const _ of stream);
        return "answered";
      } catch (error) {
        if (error.status) assert.equal(error.headers.get("x-should-retry"), "false");
        return error.status ? `${error.status} ${error.code}` : `stream ${error.code}`;
      }
    };
    const ends = await Promise.all(Array.from({ length: 24 }, ask));
    assert.equal(sent, 24);
    assert.ok(ends.includes("answered"), ends.join());
    assert.ok(ends.filter((end) => end === "429 too_many_requests").length >= 7, ends.join());
    assert.ok(ends.includes("stream queue_timeout"), ends.join());
  },
  async responses() {
    const body = { model, input: "Describe it.", max_output_tokens: 8 };
    const whole = await client.responses.create(body);
    assert.ok(whole.output_text);
    let streamed = "";
    for await (const event of await client.responses.create({ ...body, stream: true })) {
      if (event.type === "response.output_text.delta") streamed += event.delta;
    }
    assert.equal(streamed, whole.output_text);
  },
};

for (const name of chosen.length ? chosen : Object.keys(checks)) {
  await checks[name]();
  console.log(name);
}
