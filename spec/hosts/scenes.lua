-- SPDX-License-Identifier: MIT
-- What has to work alike under every event loop. Each scene is a program of several coroutines.

local assert = require "luassert"
local busted = require "busted"
local expect = require "spec.support.failure"
local simulator = require "spec.support.simulator"

local describe, it, setup, teardown = busted.describe, busted.it, busted.setup, busted.teardown
local before_each, after_each = busted.before_each, busted.after_each

local PATIENCE = 60 -- seconds; a bound for a hang

local function ids_of(client, count)
  local ids = {}
  for _, feed in ipairs(assert(client:get_feeds())) do ids[#ids + 1] = feed.id end
  while #ids > (count or #ids) do table.remove(ids) end
  return ids
end

--- `open` makes the host's loop (spec.support.host), `name` is the option's value.
return function(name, open, options)
  options = options or {}
  local cannot_yield_in_for = _VERSION == "Lua 5.1" and not rawget(_G, "jit")

  describe("under " .. name, function()
    local sim, host
    setup(function() sim = simulator.start { feeds = 6, rate = 5, rate_limit = 0 } end)
    teardown(function() sim:stop() end)
    before_each(function() host = open() end)
    after_each(function() sim:clear_faults() end)

    -- Ticks until done() is true; answers a function that tells how often it has ticked.
    local function ticking(done)
      local count = 0
      host.spawn(function()
        while not done() do
          host.sleep(0.005)
          count = count + 1
        end
      end)
      return function() return count end
    end

    it("a read waits and a sibling runs on, between any two reports", function()
      local finished, between = false, {}
      local ticks = ticking(function() return finished end)
      host.spawn(function()
        local client = sim:client { loop = name }
        local stream = client:stream(ids_of(client, 1))
        assert(stream:read())
        for i = 1, 4 do
          local before = ticks()
          assert(stream:read())
          between[i] = ticks() - before
        end
        finished = true
        client:close()
      end)
      host.run()
      assert.are.equal(4, #between)
      for _, count in ipairs(between) do assert.is_true(count > 0) end
    end)

    it("a REST call waits and a sibling runs on", function()
      sim:fault "on=rest,path=/api/v1/reports/latest,action=delay,ms=300"
      local finished, report, waited = false, nil, nil
      local ticks = ticking(function() return finished end)
      host.spawn(function()
        local client = sim:client { loop = name }
        local before = ticks()
        report = assert(client:get_latest_report(ids_of(client, 1)[1]))
        waited, finished = ticks() - before, true
        client:close()
      end)
      host.run()
      assert.is_true(#report > 0)
      assert.is_true(waited > 0)
    end)

    it("the loop is found where `loop` is auto, or it blocks", function()
      local finished, waited = false, nil
      local ticks = ticking(function() return finished end)
      host.spawn(function()
        local client = sim:client()
        local stream = client:stream(ids_of(client, 1))
        assert(stream:read())
        local before = ticks()
        assert(stream:read())
        waited, finished = ticks() - before, true
        client:close()
      end)
      host.run()
      assert.are.equal(options.is_found == true, waited > 0)
    end)

    it("several coroutines share a stream, and each report goes to one", function()
      local seen, doubled, readers, total = {}, 0, 3, 30
      local client = sim:client { loop = name }
      local ids, stream = ids_of(sim:client()), nil
      for _ = 1, readers do
        host.spawn(function()
          stream = stream or client:stream(ids)
          while total > 0 do
            total = total - 1
            local report = assert(stream:read())
            local key = report.full_report
            if seen[key] then doubled = doubled + 1 end
            seen[key] = true
          end
        end)
      end
      host.run()
      local count = 0
      for _ in pairs(seen) do count = count + 1 end
      assert.are.equal(30, count)
      assert.are.equal(0, doubled)
      client:close()
    end)

    it("streams and calls wait side by side", function()
      local client = sim:client { loop = name, rate_limit = false }
      local reads, calls = 0, 0
      host.spawn(function()
        local ids = ids_of(client)
        for _, id in ipairs(ids) do
          host.spawn(function()
            local stream = client:stream { id }
            for _ = 1, 3 do
              assert(stream:read())
              reads = reads + 1
            end
            stream:close()
          end)
          host.spawn(function()
            for _ = 1, 3 do
              assert(client:get_latest_report(id))
              calls = calls + 1
            end
          end)
        end
      end)
      host.run()
      assert.are.equal(18, reads)
      assert.are.equal(18, calls)
      client:close()
    end)

    it("closing a stream ends those that wait for it", function()
      sim:fault "on=ws,action=quiet,times=0"
      local client = sim:client { loop = name }
      local ids, ended, waiting, stream = ids_of(sim:client(), 1), {}, 0, nil
      for i = 1, 2 do
        host.spawn(function()
          stream = stream or client:stream(ids)
          waiting = waiting + 1
          local _, err = stream:read()
          ended[i] = err
        end)
      end
      host.spawn(function()
        while waiting < 2 do host.sleep(0.005) end
        host.sleep(0.05)
        stream:close()
      end)
      host.run()
      for i = 1, 2 do assert.are.equal("StreamClosedError", ended[i].kind) end
      client:close()
    end)

    -- Under luv in Lua 5.1, where no pcall can be waited in, an error ends the process.
    if not (name == "luv" and cannot_yield_in_for) then
      it("an error in one coroutine leaves the others what they have", function()
        local client = sim:client { loop = name }
        local stream, got = nil, 0
        host.spawn(function()
          stream = client:stream(ids_of(client))
          assert(stream:read())
          host.spawn(function()
            assert(stream:read())
            error("on purpose", 0)
          end)
          host.spawn(function()
            for _ = 1, 5 do
              assert(stream:read())
              got = got + 1
            end
          end)
        end)
        local ok, err = pcall(host.run)
        if ok or got < 5 then pcall(host.run) end -- some loops stop at the error, and go on when they are run again
        assert.is_false(ok)
        assert.matches("on purpose", tostring(err))
        assert.are.equal(5, got)
        client:close()
      end)
    end

    it("a time limit is kept", function()
      sim:fault "on=ws,action=quiet,times=0"
      local client = sim:client { loop = name }
      local err, raised
      host.spawn(function()
        local stream = client:stream(ids_of(client, 1))
        if options.has_no_limit then raised = select(2, pcall(stream.read, stream, 0.1))
        else err = select(2, stream:read(0.1)) end
      end)
      host.run()
      if options.has_no_limit then expect.says(raised, "time limit")
      else assert.are.equal("TimeoutError", err.kind) end
      client:close()
    end)

    it("a `for` loop waits, or says what to use where it cannot", function()
      local client = sim:client { loop = name }
      local count, err = 0, nil
      host.spawn(function()
        local ids = ids_of(client, 1)
        local stream = client:stream(ids)
        if cannot_yield_in_for then
          err = select(2, pcall(function() for _ in stream do count = count + 1 end end))
          return
        end
        for report in stream do
          assert.is_true(#report > 0)
          count = count + 1
          if count == 3 then break end
        end
        local from = os.time() - 3
        for _ in client:reports(ids[1], from, from) do count = count + 1 end
      end)
      host.run()
      if cannot_yield_in_for then expect.says(err, "use stream:read")
      else assert.are.equal(8, count) end
      client:close()
    end)

    it("connect waits too", function()
      local client = sim:client { loop = name }
      local connected
      host.spawn(function()
        local stream = client:stream(ids_of(client, 1))
        connected = assert(stream:connect(not options.has_no_limit and PATIENCE or nil)) == stream
      end)
      host.run()
      assert.is_true(connected)
      client:close()
    end)
  end)
end
