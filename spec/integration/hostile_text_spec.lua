-- SPDX-License-Identifier: MIT
-- Hostile text. A script's own is refused before anyone is connected to; a service's own cannot forge a log line or
-- drive a terminal.

local cjson = require "cjson"
local socket = require "socket"

local answers = require "spec.support.answers"
local chainlink = require "chainlink"
local project = require "spec.support.project"
local recorder = require "spec.support.recorder"
local sample = require "spec.support.sample"

local FEED = sample.feed_id(3)
local MEGABYTE = 1024 * 1024

-- One line, of no control character (of Unicode's second kind neither), and not a long one.
local function is_harmless(text)
  return not text:find "%c" and not text:find "\194[\128-\159]" and #text < 2000
end

local function shown(text)
  return (text:sub(1, 300):gsub("[%c\128-\255]", function(c) return ("\\x%02x"):format(c:byte()) end))
end

local function check(text)
  assert(is_harmless(text), shown(text))
end

describe("hostile text of the script", function()
  local listener, url

  setup(function()
    listener = assert(socket.bind("127.0.0.1", 0))
    listener:settimeout(0)
    url = "://127.0.0.1:" .. select(2, listener:getsockname())
  end)

  teardown(function() listener:close() end)

  local function nobody_came()
    local connection, reason = listener:accept()
    assert.is_nil(connection)
    assert.are.equal("timeout", reason)
  end

  local function new(name, value)
    local options = { api_key = "key", api_secret = "hush", rest_url = "http" .. url, ws_url = "ws" .. url,
      proxy = false, max_retries = 0, logger = function(_, message) check(message) end, log_level = "debug" }
    if name then options[name] = value end
    return chainlink.client(options)
  end

  local function refused(kinds, run, ...)
    local ok, err = pcall(run, ...)
    assert(not ok, "it was taken")
    assert(chainlink.is_error(err) and kinds:find(err.kind, 1, true), shown(tostring(err)))
    check(err.message)
    check(tostring(err))
  end

  local texts = {
    ["a NUL"] = "a\0b", ["a line end"] = "a\nb", ["a header"] = "a\r\nX-Injected: b", ["a tab"] = "a\tb",
    ["an escape"] = "a\27[2Jb", ["a delete"] = "a\127b", ["1 MiB"] = ("a"):rep(MEGABYTE),
    ["1 MiB of line ends"] = ("\n"):rep(MEGABYTE), ["a quote and a line end"] = 'a"\n',
  }
  local before = { rest_url = "http://a/", ws_url = "ws://a/", proxy = "http://a:1" }

  for what, text in pairs(texts) do
    it("is refused in options: " .. what, function()
      for name in ("api_key api_secret rest_url ws_url proxy network log_level overflow"):gmatch "%S+" do
        refused("ConfigError", new, name, (before[name] or "") .. text .. "b")
      end
      refused("ConfigError", new, text, 1)
      refused("ConfigError", new, "headers", { ["X-" .. text] = "1" })
      refused("ConfigError", new, "headers", { ["X-Test"] = text })
      for _, name in ipairs { "ca_file", "ca_path", "cert_file", text } do
        refused("ConfigError", new, "tls", { [name] = text })
      end
      nobody_came()
    end)

    it("is refused in arguments: " .. what, function()
      local client = new()
      for _, id in ipairs { text, FEED .. text, text .. FEED, FEED:sub(1, -#text - 1) .. text } do
        refused("InvalidFeedIDError", client.get_latest_report, client, id)
        refused("InvalidFeedIDError", client.get_report, client, id, 1700000000)
        refused("InvalidFeedIDError", client.get_reports, client, { FEED, id }, 1700000000)
        refused("InvalidFeedIDError", client.get_report_page, client, id, 1700000000)
        refused("InvalidFeedIDError", client.reports, client, id, 1700000000)
        refused("InvalidFeedIDError", client.stream, client, { FEED, id })
      end
      refused("ConfigError", client.get_report, client, FEED, text)
      refused("ConfigError", client.get_report_page, client, FEED, 1700000000, text)
      refused("ConfigError", client.stream, client, { FEED }, { [text] = 1 })
      refused("ConfigError", client.stream, client, { FEED }, { overflow = text })
      nobody_came()
      client:close()
      local report, err = chainlink.decode(text)
      assert.is_nil(report)
      check(tostring(err))
    end)
  end
end)

describe("hostile text of the service", function()
  local server, port

  setup(function()
    server = answers.start()
    port = server.port
  end)

  teardown(function() server:stop() end)

  local EVIL = "\27[2Jforged\127 \7\194\155 31m"
  local EVIL_JSON = [["a\r\n# error: forged\u001b[2J\u009b31m\u0000b"]]

  local answer = answers.http

  local cases = {
    ["a reason phrase"] = answer("503 " .. EVIL, "", ""),
    ["a refusal's phrase"] = answer("401 " .. EVIL, "Date: " .. EVIL .. "\r\n", ""),
    ["headers"] = answer("429 Too Many", ("Retry-After: 0%s\r\nX-Test: %s\r\n"):format(EVIL, EVIL), ""),
    ["an error's words"] = answer("400 Bad Request", "", '{"error":' .. EVIL_JSON .. "}"),
    ["an error's message"] = answer("500 Oh", "", '{"error":{"message":' .. EVIL_JSON .. "}}"),
    ["a body that is no JSON"] = answer("200 OK", "", EVIL),
    ["a report's field"] = answer("200 OK", "", '{"report":{"feedID":' .. EVIL_JSON .. ',"fullReport":"0x00"}}'),
    ["a member's name"] = answer("200 OK", "", "{" .. EVIL_JSON .. ":1}"),
    ["no HTTP at all"] = EVIL .. "\r\n\r\n",
  }
  for what, text in pairs(cases) do
    it("stays harmless in what is told of " .. what, function()
      server:say(text)
      local record = recorder.new()
      local client = chainlink.client(record:options { api_key = "key", api_secret = "hush", proxy = false,
        max_retries = 1, retry_delay = 0.01, rest_url = "http://127.0.0.1:" .. port, ws_url = "ws://127.0.0.1:" .. port,
        connect_timeout = 2, max_reconnects = 1, reconnect_delay = 0.01 })
      local stream = client:stream { FEED }
      for _, read in ipairs { { client.get_latest_report, client, FEED }, { client.get_feeds, client },
        { stream.read, stream, 60 } } do
        local result, err = read[1](read[2], read[3])
        assert.is_nil(result)
        check(err.message)
        check(tostring(err))
      end
      assert.is_true(#record.logs > 0 and #record.statuses > 0)
      for _, entry in ipairs(record.logs) do check(entry.message) end
      for _, event in ipairs(record.statuses) do check(event.reason or "") end
      client:close()
    end)

    it("stays harmless in what the command tells of " .. what, function()
      server:say(text)
      local output, code = project.run(("CHAINLINK_STREAMS_API_KEY=k CHAINLINK_STREAMS_API_SECRET=s no_proxy='*' "
        .. "CHAINLINK_STREAMS_REST_URL=http://127.0.0.1:%s timeout 90 chainlink-streams latest %s --verbose"):format(
        port, FEED))
      assert.is_true(code == 1 or code == 3, code)
      for line in output:gmatch "[^\n]+" do
        check(line)
        assert.is_nil(line:find("^# error: forged"))
      end
    end)
  end

  local function command(arguments)
    return project.run(("CHAINLINK_STREAMS_API_KEY=k CHAINLINK_STREAMS_API_SECRET=s no_proxy='*' "
      .. "CHAINLINK_STREAMS_REST_URL=http://127.0.0.1:%s timeout 90 chainlink-streams %s"):format(port, arguments))
  end

  it("is asked for an id where two feeds have one name", function()
    server:say(answer("200 OK", "", ('{"feeds":[{"feedID":"%s","name":"A"},{"feedID":"%s",'
      .. '"name":"a"},{"feedID":"%s","name":5}]}'):format(sample.feed_id(3), sample.feed_id(8), sample.feed_id(4))))
    local output, code = command "latest A"
    assert.are.equal("chainlink-streams: more than one feed is named 'A': give the id\n", output)
    assert.are.equal(2, code)
  end)

  it("stays harmless in the names of feeds, and is told in JSON as it is", function()
    local name = "A\27]0;pwned\7\194\155 31m\226\128\174 \194\133\r\nb"
    local json = [[{"feedID":"]] .. sample.feed_id(3) .. [[","name":"A\u001b]0;pwned\u0007]]
      .. "\194\155 31m\226\128\174 " .. [[\u0085\r\nb","note":"\u001b[2J]] .. '\194\155"}'
    server:say(answer("200 OK", "", '{"feeds":[' .. json .. "]}"))
    for format, lines in pairs { table = 2, csv = 2, json = 1 } do
      local output, code = command("feeds --format " .. format)
      assert.are.equal(0, code, output)
      assert.are.equal(lines, select(2, output:gsub("\n", "")))
      for line in output:gmatch "[^\n]+" do
        check(line)
        assert.is_nil(line:find("\226\128\174", 1, true))
      end
      if format == "json" then assert.are.equal(name, cjson.decode(output).name) end
    end
    local output = command "latest nothing"
    assert.matches("no feed is named", output)
    check(output:sub(1, -2))
  end)
end)
