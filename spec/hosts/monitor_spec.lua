-- SPDX-License-Identifier: MIT
-- `stream --metrics`: real requests, a real parser, and Prometheus itself.
local await = require "spec.support.await"
local cjson = require "cjson"
local host = require "spec.support.host"
local listener = require "spec.support.listener"
local project = require "spec.support.project"
local simulator = require "spec.support.simulator"
local socket = require "socket"

local MOST_CONNECTIONS = 256 -- of the server

describe("stream --metrics", function()
  local sim, command, folder, remove
  setup(function()
    folder, remove = project.folder()
    sim = simulator.start { feeds = 2, rate = 5, rate_limit = 0 }
    command = listener.start(sim:exports(), "stream ETH/USD AVAX/USD --metrics 127.0.0.1:0", folder .. "/out")
    await("reports", function() return project.read(folder .. "/out"):find "ETH/USD" end)
  end)
  teardown(function()
    if command then command:stop() end
    sim:stop()
    remove()
  end)

  local function health()
    local body, status = command:get "/healthz"
    assert.is_number(status, body .. command:errors())
    local told = cjson.decode(body)
    return told.status, status, table.concat(told.reasons, "; ")
  end

  local function becomes(wanted)
    return await("health " .. wanted, function()
      local status, code, reasons = health()
      return status == wanted and { code, reasons }
    end)
  end

  it("answers what is asked for and refuses the rest", function()
    local body, status, head = command:get "/metrics"
    assert.are.equal(200, status)
    assert.matches("\nContent%-Type: application/openmetrics%-text; version=1%.0%.0; charset=utf%-8\n", head)
    assert.matches("chainlink_client_requests_total [1-9]", body)
    assert.matches("chainlink_stream_connections_active 1\n", body)
    assert.are.equal("# EOF\n", body:sub(-6))
    assert.are.equal(body:find "# EOF\n", #body - 5)
    local empty, same_status, same_head = command:get("/metrics?all=1", "-I")
    assert.are.same({ "", 200 }, { empty, same_status })
    assert.matches("\nContent%-Length: %d%d%d%d+\n", same_head)
    body, status = command:get "/other"
    assert.are.same({ "there is nothing here; there is /healthz, /metrics\n", 404 }, { body, status })
    assert.are.equal(404, (select(2, command:get("/" .. ("a"):rep(3000)))))
    body, status, head = command:get("/metrics", "-X POST --data-raw 'a=b'")
    assert.are.same({ "only GET and HEAD are understood\n", 405 }, { body, status })
    assert.matches("\nAllow: GET, HEAD\n", head)
  end)

  it("ends the connection of who sends too much or nonsense, and goes on", function()
    assert.matches("Empty reply from server", (command:get("/metrics", "-H 'X-Long: " .. ("a"):rep(9000) .. "'")))
    for _, text in ipairs { "NONSENSE\r\n\r\n", "\0\1\2\3\r\n\r\n", "GET\r\n\r\n", ("a"):rep(100000) } do
      local peer = assert(socket.connect("127.0.0.1", command:port()))
      peer:settimeout(60)
      peer:send(text)
      local answer, reason, rest = peer:receive "*a"
      assert.is_not.equal("timeout", reason)
      assert.is_nil((answer or rest or ""):find " 200 ")
      peer:close()
    end
    assert.are.equal("up", (health()))
  end)

  it("cuts off whoever sends no request, however many they are", function()
    local peers = {}
    for i = 1, 400 do peers[i] = assert(socket.connect("127.0.0.1", command:port())) end
    peers[1]:send "GET /metrics HTTP/1.1\r\nX-Slow:"
    command:get "/healthz" -- those before it have been accepted, or not
    local descriptors = tonumber((project.run(("ls /proc/%s/fd | wc -l"):format(command.pid))))
    assert.is_true(descriptors <= MOST_CONNECTIONS + 40, descriptors .. " descriptors")
    for _, peer in ipairs(peers) do
      peer:settimeout(60)
      assert.are.equal("closed", (select(2, peer:receive "*a")))
      peer:close()
    end
    assert.are.equal("up", (health()))
  end)

  local _, absent = project.run "/usr/bin/python3 -c 'import prometheus_client'"
  local define = (absent == 0 or host.is_wanted "prometheus_client") and it or pending
  define("parses as OpenMetrics", function()
    project.write(folder .. "/metrics", (command:get "/metrics"))
    local output, status = project.run("/usr/bin/python3 -c 'import sys\n"
      .. "from prometheus_client.openmetrics.parser import text_string_to_metric_families as families\n"
      .. "print(*sorted(family.name for family in families(sys.stdin.read())))' <" .. folder .. "/metrics")
    assert.are.equal(0, status, output)
    assert.matches("chainlink_client_circuit .*chainlink_stream_feed_age_seconds", output)
  end)

  local function free_port()
    local probe = assert(socket.bind("127.0.0.1", 0))
    local _, port = probe:getsockname()
    probe:close()
    return port
  end

  define = host.has_command "prometheus" and it or pending
  define("is scraped by Prometheus", function()
    local port = free_port()
    project.write(folder .. "/prometheus.yml", ("global: { scrape_interval: 1s }\nscrape_configs:\n"
      .. "  - { job_name: chainlink, static_configs: [ { targets: [ '%s' ] } ] }\n"):format(command.address))
    local pipe = io.popen(("echo $$; cd %s; exec timeout 120 prometheus --config.file=prometheus.yml "
      .. "--storage.tsdb.path=data --web.listen-address=127.0.0.1:%d >prometheus.log 2>&1"):format(folder, port))
    local pid = pipe:read "*l"
    finally(function()
      os.execute("kill " .. pid)
      pipe:close()
    end)
    local function query(name)
      local text = project.run(("curl -sS 'http://127.0.0.1:%d/api/v1/query?query=%s'"):format(port, name))
      local good, answer = pcall(cjson.decode, text)
      local found = good and answer.status == "success" and answer.data.result[1]
      return found and tonumber(found.value[2])
    end
    assert.are.equal(1, await("a scrape", function() return query "chainlink_stream_connections_active" end))
    assert.are.equal(1, query "up")
    assert.is_true(query "chainlink_stream_latency_seconds_count" > 0)
  end)

  it("tells that it is degraded, down, and up again", function()
    sim:fault("on=rest,path=/api/v1/reports/page,action=status,status=404,times=0",
      "on=live,action=skip,count=3")
    assert.are.same({ 200, "reports were lost in the last minute" }, becomes "degraded")
    sim:clear_faults()
    sim:control("POST", "/control/down?what=all")
    local code, reasons = (table.unpack or unpack)(becomes "down") -- luacheck: ignore 113 143
    assert.are.equal(503, code)
    assert.matches("^no connection to the service is up: ", reasons)
    sim:control("POST", "/control/up?what=all")
    becomes "degraded" -- by what was lost before
    assert.matches("chainlink_stream_connections_active 1\n", (command:get "/metrics"))
  end)

  it("says what is wrong with an address", function()
    local function refused(address, code, words)
      local output, status = project.run(("%s timeout 60 chainlink-streams stream ETH/USD --metrics '%s'"):format(
        sim:exports(), address))
      assert.are.equal(code, status, output)
      assert.matches(words, output, 1, true)
    end
    refused(command.address, 1, ("cannot listen on 127.0.0.1, port %d: Address already in use"):format(command:port()))
    refused("9464", 2, "--metrics: '9464' is no address: give HOST:PORT")
    refused("127.0.0.1:65536", 2, "is no address")
    refused("nowhere.invalid:0", 2, "'nowhere.invalid' is no IP address")
  end)

  it("ends as before by Ctrl-C", function()
    command:signal "INT"
    await("the end", function() return command:errors():find "# latency ms" end)
    command:stop()
  end)
end)
