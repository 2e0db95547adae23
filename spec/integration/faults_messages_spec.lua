-- SPDX-License-Identifier: MIT
-- Messages and reports that are wrong: counted and named in the log, the connection stays, and a good copy of the same
-- report still counts.

local faults = require "spec.support.faults"
local says = require("spec.support.failure").says

describe("a message", function()
  local service

  setup(function() service = faults.service { feeds = 3 } end)
  after_each(function() service:reset() end)
  teardown(function() service:stop() end)

  local function counted(fault, counter, ids)
    service.sim:fault(fault)
    local stream, record = service:stream(nil, ids)
    local reports = faults.read(stream, 40)
    assert.are.same({ "connecting", "connected" }, record:states())
    local stats = stream:stats()
    assert.are.equal(1, stats[counter], counter)
    assert.is_true(#record.logs > 0)
    stream:close()
    return reports, record, stats
  end

  for _, kind in ipairs { "text", "cut", "other", "types", "nest", "members", "numbers", "empty" } do
    it(("that is no report (%s) is counted"):format(kind), function()
      service:check_complete((counted("on=ws,after=5,action=garbage,kind=" .. kind, "decode_errors")))
    end)
  end

  -- Legal JSON; what it says is a feed that was not asked for.
  it("with escapes in its texts is read", function()
    service:check_complete((counted("on=ws,after=5,action=garbage,kind=escapes", "rejected")))
  end)

  it("whose feed was tampered with is rejected", function()
    counted("on=ws,after=5,action=corrupt,kind=feed", "rejected")
  end)

  for _, kind in ipairs { "hex", "blob", "cut", "envelope" } do
    it(("of a report that was tampered with (%s) is counted, and not delivered"):format(kind), function()
      local _, record = counted("on=ws,after=5,action=corrupt,kind=" .. kind, "decode_errors")
      assert.is_truthy(record:log "report" or record:log "message")
    end)
  end

  it("of a feed that was not asked for is rejected", function()
    local reports = counted("on=ws,after=5,action=foreign", "rejected", { service.ids[1], service.ids[2] })
    for _, report in ipairs(reports) do assert.are_not.equal(service.ids[3], report.feed_id) end
  end)

  it("that is wrong again and again is told now and then", function()
    service.sim:fault "on=ws,action=corrupt,kind=hex,count=60;action=delay,ms=1"
    local stream, record = service:stream()
    faults.read(stream, 20)
    local stats = stream:stats()
    assert.are.equal(60, stats.decode_errors)
    local lines = 0
    for _, entry in ipairs(record.logs) do lines = lines + (entry.level == "warn" and 1 or 0) end
    assert.is_true(lines >= 1 and lines < 60, lines .. " warnings")
    stream:close()
  end)

  it("is told with its reason", function()
    service.sim:fault "on=ws,action=corrupt,kind=hex"
    local stream, record = service:stream()
    faults.read(stream, 3)
    says(assert(record:log "hex"), "hex")
    stream:close()
  end)
end)
