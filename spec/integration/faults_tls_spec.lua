-- SPDX-License-Identifier: MIT
-- TLS that goes wrong: refused with the reason in words, and repeated after growing delays, never in a tight loop.

local expect = require "spec.support.failure"
local faults = require "spec.support.faults"
local tls_server = require "spec.support.tls_server"

local failure, says = expect.failure, expect.says

describe("TLS", function()
  local service

  setup(function() service = faults.service() end)

  after_each(function()
    service:reset()
    service:control "certificate?kind=good"
  end)

  teardown(function() service:stop() end)

  local DELAYS = { max_reconnects = 4, reconnect_delay = 0.2, reconnect_max_delay = 0.4 }

  -- Every attempt fails, and there are no more than max_reconnects allows; each is told with the reason.
  local function refused(reason, client)
    local options, record = DELAYS, require("spec.support.recorder").new()
    local all = record:options(options)
    all.on_response = nil
    local stream = (client or service.client):stream(service.ids, all)
    local err = says(failure("NetworkError", {}, stream:read(faults.patience)), reason)
    assert.are.equal(5, faults.count(record, "connecting"))
    local delays = 0
    for _, event in ipairs(record.statuses) do
      if event.state == "reconnecting" then
        says({ message = event.reason }, reason)
        delays = delays + event.delay
      end
    end
    assert.is_true(delays > 0, "no delay between attempts")
    stream:close()
    return err
  end

  for kind, reason in pairs {
    wrong_host = "hostname mismatch", expired = "certificate has expired",
    not_yet_valid = "certificate is not yet valid", self_signed = "self-signed certificate",
  } do
    it("with a certificate that is " .. kind .. " is refused", function()
      service:control("certificate?kind=" .. kind)
      refused(reason)
    end)
  end

  it("with an unknown authority is refused", function()
    local client = service.sim:client { tls = {} }
    finally(function() client:close() end)
    refused("unable to get local issuer certificate", client)
  end)

  it("of a server that has TLS 1.1 at most is refused", function()
    local server, output = tls_server.start "-tls1_1 -cipher DEFAULT@SECLEVEL=0"
    if not server then
      pending("this OpenSSL has no TLS 1.1: " .. output)
      return
    end
    local client = server:client { max_retries = 2, retry_delay = 0.01, circuit_breaker = false }
    finally(function()
      client:close()
      server:stop()
    end)
    refused("alert protocol version", client)
    says(failure("NetworkError", {}, client:get_latest_report(service.ids[1])), "alert protocol version")
    assert.is_true(client:stats().requests <= 3)
  end)

  it("that agrees on no application protocol is named, and repeated", function()
    local server = assert(tls_server.start "-alpn nosuch")
    local client = server:client { max_retries = 2, retry_delay = 0.01, circuit_breaker = false }
    finally(function()
      client:close()
      server:stop()
    end)
    says(failure("NetworkError", { retryable = true }, client:get_latest_report(service.ids[1])),
      "the server accepts no application protocol that was offered")
    assert.are.equal(2, client:stats().retries)
  end)

  it("that is cut in the middle of the handshake is repeated", function()
    service.sim:fault "on=accept,action=cut,times=2"
    local stream, record = service:stream()
    faults.read(stream, 3)
    assert.are.equal(2, faults.count(record, "reconnecting"))
    stream:close()
  end)

  it("that is answered by something else is repeated", function()
    service.sim:fault "on=accept,action=garbage,times=2"
    local stream, record = service:stream()
    faults.read(stream, 3)
    assert.are.equal(2, faults.count(record, "reconnecting"))
    says({ message = record:status("reconnecting").reason }, "TLS to localhost")
    stream:close()
  end)

  it("that turns bad while a stream runs ends nothing, and what ends later is repaired once it is good", function()
    local stream, record = service:stream()
    local reports = faults.read(stream, 5)
    service:control "certificate?kind=expired"
    faults.read(stream, 10, reports)
    assert.are.equal(0, faults.count(record, "disconnected"))
    service:control "kill"
    faults.read_until(stream, function() return faults.count(record, "reconnecting") >= 2 end, reports)
    service:control "certificate?kind=good"
    faults.read(stream, 10, reports)
    assert.is_true(faults.count(record, "connected") == 2)
    stream:close()
  end)

  for path, status in pairs { expired = "certificate has expired", self_signed = "self-signed certificate" } do
    it("of REST with a certificate that is " .. path .. " is refused", function()
      service:control("certificate?kind=" .. path)
      local client = service.sim:client { max_retries = 1, retry_delay = 0.01 }
      says(failure("NetworkError", {}, client:get_latest_report(service.ids[1])), status)
      client:close()
    end)
  end
end)
