-- SPDX-License-Identifier: MIT
-- Names that do not resolve: told, asked again, and no matter to other hosts. What takes a resolver of the test's own
-- (late answers, several addresses, ones that change) is in spec/c/test_names.c and test_names_rest.c.

local faults = require "spec.support.faults"
local recorder = require "spec.support.recorder"
local says = require("spec.support.failure").says

local NOWHERE = "nowhere.invalid" -- RFC 6761: no such name, ever

describe("a name that does not resolve", function()
  local service

  -- A resolver that cannot be reached takes its time to say so.
  setup(function() service = faults.service({ feeds = 2 }, { connect_timeout = 2 }) end)
  teardown(function() service:stop() end)

  local function port() return service.sim:port() end

  it("is told at each attempt of a stream", function()
    local client = service.sim:client { ws_url = "wss://" .. NOWHERE, connect_timeout = 2 }
    local record = recorder.new()
    local options = record:options { max_reconnects = 2, reconnect_delay = 0.01 }
    options.on_response = nil
    local stream = client:stream(service.ids, options)
    local err = stream:read(60) == nil and select(2, stream:read(1))
    says(err, 'cannot resolve "' .. NOWHERE .. '"')
    assert.is_true(err.retryable)
    assert.are.same({ "connecting", "reconnecting", "connecting", "reconnecting", "connecting", "failed" },
      record:states())
    client:close()
  end)

  it("is told by REST", function()
    local client = service.sim:client { rest_url = "https://" .. NOWHERE, connect_timeout = 2, max_retries = 1 }
    local report, err = client:get_latest_report(service.ids[1])
    assert.is_nil(report)
    assert.is_true(err.retryable, tostring(err))
    assert.are.equal(2, client:stats().requests)
    client:close()
  end)

  it("does not hold up another origin's reports", function()
    local urls = ("wss://localhost:%d,wss://%s:%d"):format(port(), NOWHERE, port())
    local client = service.sim:client { ws_url = urls, connect_timeout = 2, rate_limit = false }
    local record = recorder.new()
    local options = record:options { ha = true, reconnect_delay = 0.01, reconnect_max_delay = 0.05 }
    options.on_response = nil
    local stream = client:stream(service.ids, options)
    local reports = faults.read_until(stream, function() return faults.count(record, "reconnecting") >= 2 end)
    faults.read(stream, 50, reports)
    service:check_complete(reports)
    assert.are.equal(1, stream:stats().active_connections)
    assert.are.equal(0, faults.count(record, "disconnected"))
    client:close()
  end)

  it("is passed over where another host may do instead", function()
    local urls = ("wss://%s:%d,wss://localhost:%d"):format(NOWHERE, port(), port())
    local client = service.sim:client { ws_url = urls, connect_timeout = 2, rate_limit = false }
    local stream = client:stream(service.ids, { reconnect_delay = 0.01 })
    service:check_complete(faults.read(stream, 20))
    client:close()
  end)
end)
