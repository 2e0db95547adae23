-- SPDX-License-Identifier: MIT
-- The option `verify`: what does not verify never reaches the script, and is counted and told.

local chainlink = require "chainlink"
local await = require "spec.support.await"
local check = require "spec.support.failure"
local simulator = require "spec.support.simulator"

-- All oracles of the simulator: they take turns to sign.
local function oracles(client, feed_id)
  local signers, seen, digest = {}, {}, nil
  local now = os.time()
  for second = now - 30, now - 10 do
    local report = assert(client:get_report(feed_id, second))
    digest = report.config_digest
    for _, signer in ipairs(assert(report:signers())) do
      if not seen[signer] then signers[#signers + 1] = signer end
      seen[signer] = true
    end
  end
  assert.are.equal(4, #signers)
  return signers, digest
end

describe("a stream with verify", function()
  local sim, client, ids, signers, digest
  setup(function()
    sim = simulator.start { feeds = 2, rate = 20 }
    client = sim:client()
    ids = {}
    for _, feed in ipairs(assert(client:get_feeds())) do ids[#ids + 1] = feed.id end
    signers, digest = oracles(client, ids[1])
  end)
  teardown(function()
    client:close()
    sim:stop()
  end)

  local function foreign()
    local others = {}
    for i = 1, 4 do others[i] = ("0x%040x"):format(i) end
    return others
  end

  local function reads(options)
    local stream = assert(client:stream(ids, options))
    for _ = 1, 20 do
      local report = assert(stream:read(10))
      assert.is_true(report:verify { signers = signers, f = 1 })
    end
    local stats = stream:stats()
    stream:close()
    return stats
  end

  it("delivers what verifies, by a registry and by one set for all", function()
    assert.are.equal(0, reads({ verify = chainlink.signers { [digest] = { signers = signers, f = 1 } } }).unverified)
    assert.are.equal(0, reads({ verify = { signers = signers, f = 1 } }).unverified)
    assert.are.equal(0, reads({ verify = false }).unverified)
  end)

  it("delivers nothing else, counts it and tells why", function()
    local events = {}
    local stream = client:stream(ids, { verify = { signers = foreign(), f = 1 }, on_status = function(event)
      if event.state == "unverified" then events[#events + 1] = event end
    end })
    await("reports that do not verify", function()
      check.failure("TimeoutError", {}, stream:read(0.05))
      return stream:stats().unverified >= 5 and #events > 0
    end)
    assert.are.equal(0, stream:stats().accepted)
    assert.matches("^BadVerification: ", events[1].reason)
    assert.matches("^0x%x+$", events[1].feed_id)
    assert.is_true(#events <= 3) -- about one in a second
    stream:close()
  end)

  it("delivers the good copy of what one origin forges, and all that REST has", function()
    local stream = client:stream({ ids[1] }, { ha = true, verify = { signers = signers, f = 1 } })
    await("both origins", function() return stream:stats().active_connections == 2 end)
    sim:fault "on=live,origin=o1,action=corrupt,kind=price,count=60"
    local read, first, last = {}, nil, nil
    await("forged reports", function()
      local report = assert(stream:read(10))
      assert.is_true(report:verify { signers = signers, f = 1 })
      first, last = first or report.observations_timestamp, report.observations_timestamp
      read[report.report_blob] = (read[report.report_blob] or 0) + 1
      return last >= first + 3 and stream:stats().unverified >= 40
    end)
    local stats = stream:stats()
    stream:close()
    assert.are.equal(0, stats.lost)
    for _, count in pairs(read) do assert.are.equal(1, count) end
    for report in client:reports(ids[1], first + 1, last - 1) do assert.are.equal(1, read[report.report_blob]) end
  end)

  it("asks REST for what a single connection's forged report stood for", function()
    local stream = client:stream({ ids[1] }, { verify = { signers = signers, f = 1 } })
    local read, first, last = {}, nil, nil
    local function note(report)
      first, last = first or report.observations_timestamp, report.observations_timestamp
      read[report.report_blob] = true
    end
    for _ = 1, 40 do note(assert(stream:read(10))) end -- of two seconds at least, so that a second is whole
    sim:fault "on=live,action=corrupt,kind=price,count=1"
    await("the forged report", function()
      note(assert(stream:read(10)))
      return stream:stats().unverified == 1
    end)
    local until_second = last + 2
    while last < until_second do note(assert(stream:read(10))) end
    assert.are.equal(0, stream:stats().lost)
    stream:close()
    for report in client:reports(ids[1], first + 1, last - 1) do
      assert(read[report.report_blob], "missing: " .. report.observations_timestamp)
    end
  end)

  it("heeds a configuration that is added while it runs", function()
    local registry = chainlink.signers()
    local stream = client:stream(ids, { verify = registry })
    await("reports of an unknown digest", function()
      check.failure("TimeoutError", {}, stream:read(0.05))
      return stream:stats().unverified > 0
    end)
    registry:add(digest, { signers = signers, f = 1 })
    assert.is_true(assert(stream:read(10)):verify(registry))
    stream:close()
  end)

  it("keeps the registry while the script forgets it", function()
    local stream = client:stream(ids, { verify = chainlink.signers { [digest] = { signers = signers, f = 1 } } })
    for _ = 1, 5 do
      assert(stream:read(10))
      collectgarbage()
    end
    stream:close()
  end)

  it("takes the option from its client", function()
    local strict = sim:client { verify = { signers = foreign(), f = 1 } }
    local stream = strict:stream(ids)
    await("reports that do not verify", function() return stream:stats().unverified > 0 end)
    stream:close()
    stream = strict:stream(ids, { verify = false })
    assert(stream:read(10))
    strict:close()
  end)

  it("raises for what is no registry and no set", function()
    for _, wrong in ipairs { true, 5, "0x", print } do
      check.says(check.raised("ConfigError", {}, client.stream, client, ids, { verify = wrong }), "option 'verify'")
    end
    check.says(check.raised("ConfigError", {}, client.stream, client, ids, { verify = {} }), "option 'verify'")
    check.says(check.raised("ConfigError", {}, client.stream, client, ids, { verify = { signers = signers, f = 2 } }),
      "InsufficientSigners")
  end)
end)
