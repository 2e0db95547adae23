-- SPDX-License-Identifier: MIT
-- Certificates that must be refused, by REST and by streams alike, with the reason in words.

local expect = require "spec.support.failure"
local recorder = require "spec.support.recorder"
local simulator = require "spec.support.simulator"

local failure, says = expect.failure, expect.says

local OPTIONS = { max_retries = 3, retry_delay = 0.01, rate_limit = false }

-- What a stream's connect() says when its first attempt is its last.
local function connect_error(client, id)
  local stream = client:stream({ id }, { max_reconnects = 0 })
  local ok, err = stream:connect(90)
  stream:close()
  return ok, err
end

local FEED = "0x0003" .. ("1"):rep(60)

local cases = {
  { certificate = "wrong_host", rest = "host name", ws = "hostname mismatch" },
  { certificate = "expired", rest = "certificate has expired", ws = "certificate has expired" },
  { certificate = "not_yet_valid", rest = "certificate is not yet valid", ws = "certificate is not yet valid" },
  { certificate = "self_signed", rest = "self-signed certificate", ws = "self-signed certificate" },
}

for _, case in ipairs(cases) do
  describe("a certificate that is " .. case.certificate, function()
    local sim

    setup(function() sim = simulator.start { certificate = case.certificate, feed = FEED } end)
    teardown(function() sim:stop() end)

    it("is refused by REST, and not tried again", function()
      local client = sim:client(OPTIONS)
      says(failure("NetworkError", { retryable = false }, client:get_feeds()), case.rest)
      assert.are.equal(0, client:stats().retries)
      client:close()
      assert.are.equal(0, sim:answered "/api/v1/feeds")
    end)

    it("is refused by a stream", function()
      local client = sim:client(OPTIONS)
      says(failure("NetworkError", {}, connect_error(client, FEED)), case.ws)
      client:close()
      assert.are.equal(0, sim:answered "/api/v1/ws")
    end)
  end)
end

describe("a good certificate", function()
  local sim

  setup(function() sim = simulator.start { feed = FEED } end)
  teardown(function() sim:stop() end)

  it("is there for a client that takes longer than libwebsockets' five seconds to greet", function()
    local tcp = require "socket".connect("127.0.0.1", sim:port())
    tcp:settimeout(6)
    local _, reason = tcp:receive(1)
    tcp:close()
    assert.equal("timeout", reason)
  end)

  it("of an authority that is not known is refused", function()
    local client = sim:client { tls = {}, max_retries = 0 }
    says(failure("NetworkError", { retryable = false }, client:get_feeds()), "certificate")
    says(failure("NetworkError", {}, connect_error(client, FEED)), "certificate")
    client:close()
  end)

  it("is accepted for each name it holds", function()
    for _, host in ipairs { "localhost", "127.0.0.1" } do
      local client = sim:client {
        rest_url = ("https://%s:%d"):format(host, sim:port()), ws_url = ("wss://%s:%d"):format(host, sim:port()),
      }
      assert(client:get_feeds())
      assert(client:stream({ FEED }):connect(90))
      client:close()
    end
  end)

  it("need not be verified where insecure_skip_verify says so, with a warning", function()
    local record = recorder.new()
    local client = sim:client(record:options { tls = { insecure_skip_verify = true } })
    assert(client:get_feeds())
    assert(client:stream({ FEED }):connect(90))
    client:close()
    assert.are.equal("warn", record:log("insecure_skip_verify").level)
  end)

  it("with a ca_file that is missing or holds no certificate is an error", function()
    expect.raised("ConfigError", {}, function() return sim:client { tls = { ca_file = "/no/such/file.pem" } } end)
    local client = sim:client { tls = { ca_file = "/dev/null" }, max_retries = 0 }
    failure("NetworkError", { retryable = false }, client:get_feeds())
    local ok, err = connect_error(client, FEED)
    assert.is_nil(ok)
    says(err, "/dev/null")
    client:close()
  end)
end)
