-- SPDX-License-Identifier: MIT
-- The text of server-sent events, and what a browser says of those that it had.

local sse = require "chainlink.web.sse"

describe("server-sent events", function()
  it("have a name, data, and an id where they are numbered", function()
    assert.are.equal('event: state\ndata: {"a":1}\n\n', sse.event("state", '{"a":1}'))
    assert.are.equal('id: 1f-70000000000\nevent: report\ndata: {}\n\n', sse.report("1f", 70000000000, "{}"))
    assert.are.equal("event: report\ndata: {}\n\n", sse.report("1f", nil, "{}"))
  end)

  it("begin with the clock and after how long to come back", function()
    assert.are.equal('retry: 1000\nevent: clock\ndata: {"now":1700000000123}\n\n', sse.hello(1700000000123))
  end)

  it("say that some were missed", function()
    assert.matches('^event: lost\ndata: {"reason":"this page was away for longer', sse.MISSED)
    assert.matches('^event: lost\ndata: {"reason":"the server of this page is another one', sse.ANEW)
  end)

  it("are silent for no longer than proxies bear", function()
    assert.are.equal(15, sse.QUIET_SECONDS)
    assert.matches("^:", sse.BEAT)
  end)

  -- -> number | nil, an event
  local function resumed(header) return { sse.resumed(sse.had(header), "1f", 5, 9) } end

  it("go on after the last one that a browser had", function()
    for number = 5, 9 do
      assert.are.same({ number }, resumed("1f-" .. number))
      assert.are.same({ number }, resumed("1f-" .. number .. "-more"))
    end
  end)

  it("were missed where that one is not kept, or of another server", function()
    for _, header in ipairs { "1f-4", "1f-10" } do assert.are.same({ nil, sse.MISSED }, resumed(header)) end
    for _, header in ipairs { "2f-7", "0-0" } do assert.are.same({ nil, sse.ANEW }, resumed(header)) end
  end)

  it("were not missed by who had none", function()
    for _, header in ipairs { "", "1f", "1f-", "-7", " 1f-7", "1g-7", "1f-x" } do
      assert.is_nil(sse.had(header))
      assert.are.same({}, resumed(header))
    end
    assert.are.same({}, resumed(nil))
  end)

  it("give back what the server put into the id", function()
    assert.are.same({ epoch = "1f", number = 70000000000, more = "" }, sse.had "1f-70000000000")
    for _, more in ipairs { "1", "a-b", "-" } do
      local id = sse.report("1f", 7, "{}", more):match "^id: ([^\n]+)\nevent: report\ndata: {}\n\n$"
      assert.are.equal("1f-7-" .. more, id)
      assert.are.same({ epoch = "1f", number = 7, more = more }, sse.had(id))
    end
    assert.are.equal(sse.report("1f", 7, "{}"), sse.report("1f", 7, "{}", ""))
  end)
end)
