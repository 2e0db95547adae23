-- SPDX-License-Identifier: MIT
-- How a call of the engine is waited for, and what is told of the service's own words.

local anew = require "spec.support.anew"
local errors = require "chainlink.errors"

describe("a call", function()
  local call, restore, asked, done, state, result

  before_each(function()
    asked, done, result = {}, {}, {}
    local function note(name, handle)
      assert.equal("handle", handle)
      asked[#asked + 1] = name
    end
    local module, put_back = anew.load("chainlink.call", { ["chainlink.core"] = {
      call_done = function(handle)
        note("done", handle)
        return table.remove(done, 1)
      end,
      call_event = function(handle)
        note("event", handle)
        return table.remove(state.events, 1)
      end,
      call_fd = function(handle)
        note("fd", handle)
        return 7
      end,
      call_result = function(handle)
        note("result", handle)
        return result[1], result[2], result[3]
      end,
      call_free = function(handle) note("free", handle) end } })
    call, restore = module, put_back
    state = { events = {}, log_level = "debug", logger = function(_, message) asked[#asked + 1] = message end,
      wait = function(fd, seconds)
        assert.same({ 7 }, { fd, seconds })
        asked[#asked + 1] = "wait"
      end }
  end)
  after_each(function() restore() end)

  local function names() return table.concat(asked, " ") end

  it("that is done is not waited for, and is freed", function()
    done, result = { true }, { "reports", 200, 9 }
    state.events = { { kind = "log", level = "info", message = "told" } }
    assert.same({ "reports", 200, 9 }, { call.finish(state, "handle") })
    assert.equal("done event told event result free", names())
  end)

  it("is waited for until it is done, its events told meanwhile", function()
    done, result = { false, false, false, true }, { nil, "why" }
    assert.same({ nil, "why" }, { call.finish(state, "handle") })
    assert.equal("done event done fd wait done event done event result free", names())
  end)

  -- The message of an error with this body.
  local function explained(body)
    done, result = { true }, { nil, errors.new("APIError", "status 400", { body = body }) }
    local value, err = call.explained(state, "handle")
    assert.is_nil(value)
    assert.equal(result[2], err)
    return err.message
  end

  it("that succeeds answers all there is", function()
    done, result = { true }, { "reports", 200, 9 }
    assert.same({ "reports", 200, 9 }, { call.explained(state, "handle") })
  end)

  it("that fails has the service's own words, from wherever they are", function()
    for _, name in ipairs { "message", "error", "errmsg" } do
      assert.equal("status 400: in words", explained(('{"%s":"in words"}'):format(name)))
    end
    assert.equal("status 400: in words", explained '{"errmsg":"no","error":"no","message":"in words"}')
    assert.equal("status 400: in words", explained '{"errmsg":"no","error":"in words"}')
    assert.equal("status 400: in words", explained '{"error":{"message":"in words"}}')
  end)

  it("that fails without words is told as it is", function()
    for _, body in ipairs { "", "{", "5", "{}", '{"message":""}', '{"message":5}', '{"error":{}}',
      '{"error":{"message":5}}', '"in words"', '{"error":null}' } do
      assert.equal("status 400", explained(body), body)
    end
    assert.equal("status 400", explained(nil))
  end)

  it("tells words once, no more than 200 bytes, and none that drive a terminal", function()
    assert.equal("status 400", explained '{"message":"status"}')
    done, result = { true }, { nil, errors.new("APIError", "is (a+b)", { body = '{"message":"(a+b)"}' }) }
    assert.equal("is (a+b)", select(2, call.explained(state, "handle")).message)
    assert.equal("status 400: " .. ("x"):rep(200), explained(('{"message":"%s"}'):format(("x"):rep(201))))
    assert.equal("status 400: a b c \195\169", explained '{"message":"a\\u001bb\\u009bc\\n\195\169"}')
  end)
end)
