-- SPDX-License-Identifier: MIT
-- A failure of each kind, at the highest log level: no log line, event, error, statistics or text has the secret, a
-- signature, a header's value or a proxy's password. reconnect_spec does the same for refusals with other statuses.

local project = require "spec.support.project"
local recorder = require "spec.support.recorder"
local sample = require "spec.support.sample"
local simulator = require "spec.support.simulator"

local KEY, SECRET, OTHER_SECRET = "the-key-0002", "the-secret-0002", "the-other-secret-0002"
local HEADER, PROXY_USER, PROXY_PASSWORD = "the-header-0002", "the-user-0002", "the-password-0002"
local USER_AND_PASSWORD = "dGhlLXVzZXItMDAwMjp0aGUtcGFzc3dvcmQtMDAwMg==" -- both as a request has them
local SECRETS = { KEY, SECRET, OTHER_SECRET, HEADER, PROXY_USER, PROXY_PASSWORD, USER_AND_PASSWORD,
  "X-Authorization-Signature" }

local FEED = sample.feed_id(3)

-- Where the text has a secret, or 64 hex digits without 0x before them, as a signature is.
local function find_secret(text)
  for _, secret in ipairs(SECRETS) do
    local at = text:find(secret, 1, true)
    if at then return secret .. " in: " .. text:sub(math.max(1, at - 100), at + 60) end
  end
  for digits in text:gsub("0x%x+", ""):gmatch "%x+" do
    if #digits == 64 then return "a signature? " .. digits end
  end
end

local function check(...)
  local text = recorder.text_of(...)
  local found = find_secret(text)
  assert(not found, found)
  return text
end

describe("a secret", function()
  local sim, plain, selfsigned

  local function start(options)
    options.rate, options.rate_limit, options.feed, options.key = 50, 0, FEED, KEY .. ":" .. SECRET
    return simulator.start(options)
  end

  setup(function() sim, plain, selfsigned = start {}, start { plain = true }, start { certificate = "self_signed" } end)
  after_each(function() sim:clear_faults() end)

  teardown(function()
    for _, one in ipairs { sim, plain, selfsigned } do one:stop() end
  end)

  it("would be found", function()
    assert.is_truthy(find_secret("x " .. SECRET))
    assert.is_truthy(find_secret(("signed: %s."):format(("ab"):rep(32))))
    assert.is_nil(find_secret(FEED .. " " .. ("ab"):rep(40) .. " 0x" .. ("ab"):rep(32)))
    assert.is_truthy(find_secret(recorder.text_of { fields = { deep = { USER_AND_PASSWORD } } }))
  end)

  -- A call and a stream with a client of these options: all that they tell. Each must have failed or not, as said.
  local function use(service, fails, options)
    local record = recorder.new()
    options.headers, options.max_retries, options.retry_delay = { ["X-Extra"] = HEADER }, 1, 0.01
    options.max_reconnects, options.reconnect_delay, options.circuit_breaker = 1, 0.01, false
    local client = service:client(record:options(options))
    local report, err = client:get_latest_report(FEED)
    local stream = client:stream { FEED }
    local streamed, stream_err = stream:read(90)
    local told = { tostring(client), tostring(stream), tostring(report), tostring(streamed), tostring(err),
      tostring(stream_err), { err, stream_err }, client:stats(), stream:stats() }
    client:close()
    check(told, tostring(client), tostring(stream), (select(2, stream:read())), record:text())
    assert.is_true(#record.logs >= 2, "hardly anything was logged")
    assert.are.equal(fails.rest, err and err.kind)
    assert.are.equal(fails.stream, stream_err and stream_err.kind)
  end

  local NETWORK = { rest = "NetworkError", stream = "NetworkError" }

  it("is not told when all goes well", function() use(sim, {}, {}) end)

  it("is not told when it is refused", function()
    use(sim, { rest = "AuthenticationError", stream = "AuthenticationError" }, { api_secret = OTHER_SECRET })
  end)

  it("is not told when nothing listens", function()
    use(sim, NETWORK, { rest_url = "https://127.0.0.1:1", ws_url = "wss://127.0.0.1:1" })
  end)

  it("is not told when a certificate is refused", function() use(selfsigned, NETWORK, {}) end)

  it("is not told when connections are reset", function()
    sim:fault("on=rest,action=reset,times=0", "on=ws,action=reset,after=0,times=0")
    use(sim, NETWORK, {})
  end)

  it("is not told when answers are no reports", function()
    sim:fault("on=rest,action=garbage,times=0", "on=ws,action=garbage,after=0,times=0")
    use(sim, { rest = "DecodeError" }, {})
    sim:clear_faults()
    sim:fault("on=rest,action=status,status=500,body=html,times=0", "on=ws,action=corrupt,kind=blob,after=0")
    use(sim, { rest = "APIError" }, {})
  end)

  it("is not told when a proxy fails", function()
    for _, port in ipairs { 1, plain:port() } do -- refused; a service that is no proxy
      use(sim, NETWORK, { proxy = ("http://%s:%s@127.0.0.1:%d"):format(PROXY_USER, PROXY_PASSWORD, port) })
    end
  end)

  it("is not told by a proxy's URL that is refused", function()
    for _, proxy in ipairs { "https://%s:%s@proxy:1", "http://%s:%s@proxy:1/path", "http://%s:%s@proxy:99999",
      "http://%s:%s@proxy\n", "%s:%s@proxy" } do
      local ok, err = pcall(sim.client, sim, { proxy = proxy:format(PROXY_USER, PROXY_PASSWORD) })
      assert.is_false(ok)
      check(err, tostring(err), { fields = err })
    end
  end)

  it("is not told by the command, however verbose", function()
    local function command(env, ...)
      local words = {}
      for name, value in pairs(sim.env) do words[#words + 1] = ("%s='%s'"):format(name, env[name] or value) end
      words[#words + 1] = env.more or ""
      words[#words + 1] = "timeout 90 chainlink-streams"
      local output, code = project.run(table.concat(words, " ") .. " " .. table.concat({ ... }, " "))
      check(output)
      return output, code
    end
    local proxy = ("https_proxy=http://%s:%s@127.0.0.1:1"):format(PROXY_USER, PROXY_PASSWORD)
    for _, env in ipairs { {}, { CHAINLINK_STREAMS_API_SECRET = OTHER_SECRET },
      { CHAINLINK_STREAMS_CA_FILE = "/nowhere" }, { CHAINLINK_STREAMS_REST_URL = "https://127.0.0.1:1" },
      { more = proxy } } do
      local output, code = command(env, "latest", FEED, "--verbose")
      assert.are.equal(next(env) == nil, code == 0, output)
    end
    local output, code = command({}, "stream", FEED, "--count 2 --verbose")
    assert.are.equal(0, code, output)
  end)

  it("is told by the simulator to the shell alone", function()
    local folder, remove = project.folder()
    finally(remove)
    local errors = folder .. "/errors"
    local command = ("timeout 90 chainlink-streams simulate --key %s:%s 2>%s"):format(KEY, SECRET, errors)
    local pipe = assert(io.popen(command, "r"))
    local line, pid
    repeat
      line = assert(pipe:read "*l")
      pid = line:match "SIMULATOR_PID=(%d+)"
    until pid
    os.execute("kill " .. pid)
    check(pipe:read "*a", project.read(errors))
    pipe:close()
    check((sim:control("GET", "/control/stats")), (sim:control("GET", "/control/oracles")),
      (sim:control("GET", "/api/v1/feeds")), (sim:control("GET", "/nothing")))
  end)
end)
