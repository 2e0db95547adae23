---@meta chainlink
-- SPDX-License-Identifier: MIT
-- Declarations for the Lua language servers; `@return_overload` is EmmyLua's, whose checker `make types` runs. Nothing
-- here runs.

---@class chainlink
---@field _VERSION string
---@field schemas chainlink.Schemas the report schemas by version
---@field signers chainlink.Signers
---@field onchain chainlink.OnchainModule
---@field bars fun(options: chainlink.BarsOptions): chainlink.Bars bars of reports, see types/bars.lua
---@field twap fun(options: chainlink.TwapOptions): chainlink.Twap time-weighted averages
---@field guard fun(options?: chainlink.GuardOptions): chainlink.Guard what stands before a transaction
---@field source chainlink.SourceModule
local chainlink = {}

---Makes a client. Wrong options raise a ConfigError.
---@param options chainlink.Options
---@return chainlink.Client client
---@return chainlink.Error? err a MemoryError; there is no client then
function chainlink.client(options) end

---Makes a client from CHAINLINK_STREAMS_API_KEY, …_API_SECRET, …_REST_URL, …_WS_URL, …_PRICE_URL, …_CA_FILE, …_NETWORK.
---@param overrides? chainlink.Options options that win over the environment
---@return chainlink.Client client
---@return chainlink.Error? err a MemoryError; there is no client then
function chainlink.client_from_env(overrides) end

---A recording as a stream: docs/recordings.md.
---@param path string|string[] files, or folders for the recordings in them, one after the other
---@param options? chainlink.ReplayOptions
---@return chainlink.Stream? stream
---@return chainlink.Error? err a FileError
---@return_overload chainlink.Stream
---@return_overload nil, chainlink.Error
function chainlink.replay(path, options) end

---The feeds that are listed publicly, without credentials: filters, and of a client's options network, rest_url,
---timeout, connect_timeout, max_retries, retry_delay, retry_max_delay, headers, tls, proxy, logger, log_level,
---on_response.
---@param options? chainlink.PublicFilters
---@return chainlink.ListedFeed[]? feeds
---@return chainlink.Error? err
---@return_overload chainlink.ListedFeed[]
---@return_overload nil, chainlink.Error
function chainlink.discover(options) end

---Decodes a full report: hex text with or without 0x, or the bytes.
---@param full_report string
---@return chainlink.Report? report
---@return chainlink.Error? err a DecodeError
---@return_overload chainlink.Report
---@return_overload nil, chainlink.Error
function chainlink.decode(full_report) end

---Snappy's block format of some bytes; a ConfigError in a build without libsnappy.
---@param bytes string
---@return string? compressed
---@return chainlink.Error? err
---@return_overload string
---@return_overload nil, chainlink.Error
function chainlink.compress(bytes) end

---@param compressed string Snappy's block format
---@return string? bytes
---@return chainlink.Error? err a DecodeError, or a ConfigError in a build without libsnappy
---@return_overload string
---@return_overload nil, chainlink.Error
function chainlink.decompress(compressed) end

---The schema version of a feed: the lower twelve bits of its id's first two bytes.
---@param feed_id string
---@return integer version
function chainlink.feed_version(feed_id) end

---The unit of the times in a feed's reports; nil where the id has one that is not defined.
---@param feed_id string
---@return "s"|"ms"? resolution
function chainlink.feed_resolution(feed_id) end

---Is the value an error of this module (of that kind)?
---@param value any
---@param kind? chainlink.Kind
---@return boolean
function chainlink.is_error(value, kind) end

---@class chainlink.Options
---@field api_key? string required, unless the environment has it
---@field api_secret? string required, unless the environment has it; wiped from memory on close
---@field profile? string a profile's name: what `chainlink-streams profile add` keeps, under what is given here
---@field network? "mainnet"|"testnet" default "mainnet"
---@field rest_url? string
---@field ws_url? string one or several with commas between them
---@field price_url? string of the candlestick service
---@field timeout? number seconds for a whole request, default 30
---@field connect_timeout? number seconds, default 5
---@field max_retries? integer default 3
---@field retry_delay? number seconds, default 0.5
---@field retry_max_delay? number seconds, default 10
---@field rate_limit? number|false requests per second and endpoint, default 10
---@field circuit_breaker? chainlink.Breaker|false
---@field clock? "local"|"auto" what requests are signed by: this clock (default), or the service's where they differ
---@field ping_interval? integer whole seconds, default 5
---@field pong_timeout? integer whole seconds, default 5
---@field max_reconnects? number default math.huge
---@field reconnect_delay? number seconds, default 0.2
---@field reconnect_max_delay? number seconds, default 10
---@field queue_size? integer default 4096
---@field queue_bytes? integer bytes of the reports that wait or are held, default 67108864
---@field overflow? "block"|"latest"|"drop_oldest" default "block"
---@field order? "feed"|"arrival" of what is delivered: by each feed's time (default), or as it comes
---@field protocol? "auto"|"v1"|"v2" of the service's WebSocket, default "auto"
---@field ha? boolean one connection per origin, default false
---@field feeds_per_connection? integer default 100
---@field backfill? boolean default true
---@field verify? chainlink.SignerRegistry|chainlink.SignerSet|false only what is signed, its times too
---@field stale_timeout? number|false seconds, default: none
---@field logger? fun(level: chainlink.Level, message: string, fields: table)
---@field log_level? chainlink.Level|"none" default "info"
---@field on_status? fun(event: chainlink.Status)
---@field on_response? fun(response: chainlink.Response)
---@field headers? table<string, string>
---@field tls? chainlink.Tls
---@field proxy? string|false default: from the environment
---@field loop? chainlink.Loop default "auto"

---How calls and streams wait. A function waits until fd is readable or so many seconds (nil: no end) have passed, and
---may come back earlier; an fd of -1 means the time only.
---@alias chainlink.Loop "auto"|"block"|"cqueues"|"copas"|"luv"|"openresty"|false|fun(fd: integer, seconds: number?)

---@alias chainlink.Level "debug"|"info"|"warn"|"error"

---@class chainlink.Breaker
---@field failures? integer default 5
---@field cooldown? number seconds, default 10

---@class chainlink.Tls
---@field ca_file? string
---@field ca_path? string
---@field cert_file? string client certificate, PEM
---@field key_file? string
---@field insecure_skip_verify? boolean

---@class chainlink.StreamOptions
---@field ping_interval? integer
---@field pong_timeout? integer
---@field max_reconnects? number
---@field reconnect_delay? number
---@field reconnect_max_delay? number
---@field queue_size? integer
---@field queue_bytes? integer
---@field overflow? "block"|"latest"|"drop_oldest"
---@field order? "feed"|"arrival"
---@field protocol? "auto"|"v1"|"v2"
---@field ha? boolean
---@field feeds_per_connection? integer
---@field backfill? boolean
---@field verify? chainlink.SignerRegistry|chainlink.SignerSet|false
---@field stale_timeout? number|false
---@field start? integer Unix seconds: the stream begins there, over REST
---@field logger? fun(level: chainlink.Level, message: string, fields: table)
---@field log_level? chainlink.Level|"none"
---@field on_status? fun(event: chainlink.Status)
---@field loop? chainlink.Loop

---@class chainlink.Status
---@field state "connecting"|"connected"|"disconnected"|"reconnecting"|"failed"|"gap"|"backfilled"|"lost"|"unverified"
---@field origin? string
---@field host? string host:port, of a connection
---@field reason? string
---@field attempt? integer of a connection
---@field delay? number seconds until the next attempt
---@field feed_id? string of gap, backfilled, lost and unverified
---@field from? integer Unix seconds, the range's first
---@field to? integer the range's last; nil: up to the feed's next report
---@field from_ms? integer milliseconds, the range's first
---@field to_ms? integer the range's last; nil: up to the feed's next report
---@field time number Unix seconds

---@class chainlink.Response
---@field method string
---@field url string
---@field status integer
---@field headers table<string, string> names in lower case
---@field elapsed number seconds
---@field time number Unix seconds

---@class chainlink.Client
local Client = {}

---The feeds that the credentials may read.
---@return chainlink.Feed[]? feeds
---@return chainlink.Error? err
---@return_overload chainlink.Feed[]
---@return_overload nil, chainlink.Error
function Client:get_feeds() end

---The feeds of the service's catalogue that fit all filters; answers are kept as long as the service allows.
---@param filters? chainlink.Filters
---@return chainlink.ListedFeed[]? feeds
---@return chainlink.Error? err
---@return_overload chainlink.ListedFeed[]
---@return_overload nil, chainlink.Error
function Client:discover(filters) end

---@param feed_id string
---@return chainlink.Report? report
---@return chainlink.Error? err
---@return_overload chainlink.Report
---@return_overload nil, chainlink.Error
function Client:get_latest_report(feed_id) end

---@param feed_id string
---@param timestamp integer Unix seconds
---@return chainlink.Report? report
---@return chainlink.Error? err
---@return_overload chainlink.Report
---@return_overload nil, chainlink.Error
function Client:get_report(feed_id, timestamp) end

---@param feed_ids string[]
---@param timestamp integer Unix seconds
---@return chainlink.Report[]? reports
---@return string[]|chainlink.Error missing the feed ids without a report then, or the error
---@return_overload chainlink.Report[], string[]
---@return_overload nil, chainlink.Error
function Client:get_reports(feed_ids, timestamp) end

---@param feed_id string
---@param start integer Unix seconds
---@param limit? integer
---@return chainlink.Page? page
---@return chainlink.Error? err
---@return_overload chainlink.Page
---@return_overload nil, chainlink.Error
function Client:get_report_page(feed_id, start, limit) end

---An iterator over a range, both ends included. A failure raises its error object; so does a service that has no end
---of reports of one second (DecodeError). Asked from a callback, a finalizer or another coroutine while it waits for a
---page, it raises a ConfigError.
---@param feed_id string
---@param from integer Unix seconds
---@param to? integer Unix seconds, default: now
---@param limit? integer reports of a page, 1 to 10000, default 500
---@return fun(): chainlink.Report?
function Client:reports(feed_id, from, to, limit) end

---The same of several feeds, by time, then feed id. A failure ends it, behind all reports of the seconds before.
---@param options chainlink.HistoryOptions
---@return fun(): chainlink.Report?
function Client:history(options) end

---Opens a stream; connecting goes on in the background.
---@param feed_ids string[]
---@param options? chainlink.StreamOptions
---@return chainlink.Stream stream
---@return chainlink.Error? err a MemoryError, or StreamClosedError after close; there is no stream then
function Client:stream(feed_ids, options) end

---The symbols of the candlestick service: of a group, or of all.
---@param group? string
---@return chainlink.Symbol[]? symbols
---@return chainlink.Error? err
---@return_overload chainlink.Symbol[]
---@return_overload nil, chainlink.Error
function Client:symbols(group) end

---The service's candles of a symbol, ascending.
---@param options chainlink.CandleOptions
---@return chainlink.Candle[]? candles
---@return chainlink.Error? err
---@return_overload chainlink.Candle[]
---@return_overload nil, chainlink.Error
function Client:candles(options) end

---The candlestick service's prices of these symbols as they come; connecting goes on behind.
---@param symbols string[] 1 to 100
---@param options? chainlink.TradesOptions
---@return chainlink.Trades? trades
---@return chainlink.Error? err a MemoryError, or StreamClosedError after close
function Client:trades(symbols, options) end

---@return chainlink.ClientStats
function Client:stats() end

---The same as OpenMetrics text.
---@return string text
function Client:metrics() end

---Ends streams, calls and connections. Again is harmless.
function Client:close() end

---@class chainlink.HistoryOptions
---@field feeds string[] feed ids, in any order
---@field from integer Unix seconds
---@field to? integer Unix seconds, default: now
---@field limit? integer reports of a page, 1 to 10000, default 500, less for more than 65 feeds

---@class chainlink.Feed
---@field id string
---@field version integer
---@field resolution? "s"|"ms"
---@field name? string
---@field [string] any what else the service tells

---Texts match in capitals or not; of an array, any. Days are YYYY-MM-DD.
---@class chainlink.Filters
---@field base_asset? string|string[]
---@field quote_asset? string|string[]
---@field asset_class? string|string[]
---@field feed_type? string|string[]
---@field attribute_type? string|string[]
---@field status? string|string[] "live", "testing"
---@field network_type? string|string[] "mainnet", "testnet"
---@field hidden? boolean hidden feeds too, if the key may read them
---@field created_after? string
---@field created_before? string
---@field expected_decommission_after? string
---@field expected_decommission_before? string
---@field decommissioned_after? string
---@field decommissioned_before? string

---@class chainlink.PublicFilters : chainlink.Filters
---@field network? "mainnet"|"testnet" default "mainnet"
---@field rest_url? string
---@field timeout? number
---@field connect_timeout? number
---@field max_retries? integer
---@field retry_delay? number
---@field retry_max_delay? number
---@field headers? table<string, string>
---@field tls? chainlink.Tls
---@field proxy? string|false
---@field logger? fun(level: chainlink.Level, message: string, fields: table)
---@field log_level? chainlink.Level|"none"
---@field on_response? fun(response: chainlink.Response)
---@field loop? chainlink.Loop

---A feed of the catalogue; nil is what the service does not tell.
---@class chainlink.ListedFeed
---@field id string
---@field name? string
---@field asset_name? string
---@field base_asset? string
---@field quote_asset? string
---@field asset_class? string
---@field feed_type? string
---@field attribute_type? string
---@field market_hours? string
---@field schema_version? integer
---@field service_level? string
---@field network_type? string
---@field status? string
---@field created_at? integer Unix seconds
---@field expected_decommission_at? integer Unix seconds
---@field decommissioned_at? integer Unix seconds

---@class chainlink.Symbol
---@field symbol string
---@field currency string
---@field base_currency string
---@field group string

---@class chainlink.CandleOptions
---@field symbol string
---@field resolution string "1m", "4h", "1d", "1w", "1M", "1y"
---@field from integer Unix seconds
---@field to? integer Unix seconds, default: now

---@class chainlink.Candle
---@field time integer Unix seconds, its beginning
---@field open number
---@field high number
---@field low number
---@field close number
---@field volume number

---@class chainlink.TradesOptions
---@field heartbeat_timeout? number seconds of silence after which a connection is made again, 1 to 3600, default 15
---@field logger? fun(level: chainlink.Level, message: string, fields: table) default: the client's, so below
---@field log_level? chainlink.Level|"none"
---@field on_status? fun(event: chainlink.Status)
---@field loop? chainlink.Loop

---@class chainlink.Trade
---@field symbol string
---@field feed_id? string as the service writes it
---@field price string exact decimal text
---@field raw string the service's number, in units of 10^-18
---@field time integer Unix seconds
---@field received_at number Unix seconds

---@class chainlink.TradesStats
---@field received integer
---@field heartbeats integer
---@field ignored integer objects of a kind not known
---@field dropped integer the oldest that waited, for want of room
---@field decode_errors integer connections given up for what they told
---@field reconnects integer
---@field queue_length integer
---@field connected boolean

---The candlestick service's prices as they come: `for trade in trades do`. A failure raises its error object there.
---@class chainlink.Trades
---@overload fun(): chainlink.Trade?
local Trades = {}

---The next trade; waits, at most `timeout` seconds.
---@param timeout? number
---@return chainlink.Trade? trade
---@return chainlink.Error? err
---@return_overload chainlink.Trade
---@return_overload nil, chainlink.Error
function Trades:read(timeout) end

---The next trade if one waits. Never waits itself.
---@return chainlink.Trade? trade
---@return chainlink.Error? err when it is over
function Trades:poll() end

---The descriptor that is readable exactly while something waits; it stays until the object is collected.
---@return integer fd
function Trades:pollfd() end

---The same descriptor, by the name that LuaSocket's select asks for.
---@return integer fd
function Trades:getfd() end

---What cqueues.poll asks for: to read.
---@return "r"
function Trades:events() end

---For as long as it takes.
function Trades:timeout() end

---Nothing waits where the descriptor does not show it, for LuaSocket's select.
---@return false
function Trades:dirty() end

---@return chainlink.TradesStats
function Trades:stats() end

---Ends it; trades that wait are given up. Again is harmless.
function Trades:close() end

---@class chainlink.Page
---@field reports chainlink.Report[]
---@field next_page_timestamp? integer nil when the page is empty

---@class chainlink.ClientStats
---@field requests integer
---@field retries integer
---@field failures integer
---@field connections integer
---@field reused integer
---@field circuit "closed"|"open"|"half_open"

---@class chainlink.Stream
---@overload fun(): chainlink.Report?
local Stream = {}

---The next report; waits, at most `timeout` seconds.
---@param timeout? number
---@return chainlink.Report? report
---@return chainlink.Error? err
---@return_overload chainlink.Report
---@return_overload nil, chainlink.Error
function Stream:read(timeout) end

---The next report if one waits. Never waits itself.
---@return chainlink.Report? report
---@return chainlink.Error? err when the stream is over
function Stream:poll() end

---The newest report seen of a feed, without taking it from the queue.
---@param feed_id string
---@return chainlink.Report?
function Stream:latest(feed_id) end

---Adds feeds without loss for the others; connections follow in the background.
---@param feed_ids string[]
---@return true? done
---@return chainlink.Error? err
---@return_overload true
---@return_overload nil, chainlink.Error
function Stream:subscribe(feed_ids) end

---Takes feeds out: their reports are not delivered any more. All of them raise a ConfigError.
---@param feed_ids string[]
---@return true? done
---@return chainlink.Error? err
---@return_overload true
---@return_overload nil, chainlink.Error
function Stream:unsubscribe(feed_ids) end

---Waits until every feed is subscribed. A TimeoutError tells the last failure of a connection, where there was one.
---@param timeout? number seconds
---@return chainlink.Stream? stream
---@return chainlink.Error? err
---@return_overload chainlink.Stream
---@return_overload nil, chainlink.Error
function Stream:connect(timeout) end

---The descriptor that is readable exactly while something waits; it stays until the stream is collected.
---@return integer? fd nil when none is to be had, for a stream that was closed before
---@return chainlink.Error? err
---@return_overload integer
---@return_overload nil, chainlink.Error
function Stream:pollfd() end

---The same descriptor, by the name that LuaSocket's select asks for.
---@return integer? fd
---@return chainlink.Error? err
---@return_overload integer
---@return_overload nil, chainlink.Error
function Stream:getfd() end

---Nothing waits where the descriptor does not show it, for LuaSocket's select.
---@return boolean is_dirty false
function Stream:dirty() end

---What pollfd is polled for, for cqueues.
---@return string events "r"
function Stream:events() end

---No time limit, for cqueues.
---@return nil
function Stream:timeout() end

---Writes what the script takes from now on into a file: docs/recordings.md.
---@param path string a file, or a folder for its recording.jsonl
---@param options? chainlink.RecordOptions
---@return true? done
---@return chainlink.Error? err a FileError
---@return_overload true
---@return_overload nil, chainlink.Error
function Stream:record(path, options) end

---Writes now what waits to be written.
---@return true? done
---@return chainlink.Error? err the last failure to write since the last call
---@return_overload true
---@return_overload nil, chainlink.Error
function Stream:flush() end

---Ends the recording, and not the stream.
---@return true? done
---@return chainlink.Error? err as Stream:flush
---@return_overload true
---@return_overload nil, chainlink.Error
function Stream:unrecord() end

---@return chainlink.StreamStats
function Stream:stats() end

---The same as OpenMetrics text, with the age of each feed's newest report.
---@return string text
function Stream:metrics() end

function Stream:close() end

---Reports from elsewhere than the service: docs/relay.md.
---@class chainlink.SourceModule
local SourceModule = {}

---What a relay has put into Redis. A ConfigError where the rock chainlink-streams-relay is missing.
---@param options chainlink.RedisOptions
---@return chainlink.Source? source
---@return chainlink.Error? err a MemoryError, or a ConfigError for a file of TLS that does not load
---@return_overload chainlink.Source
---@return_overload nil, chainlink.Error
function SourceModule.redis(options) end

---What a relay has put into a topic of Kafka. A ConfigError where the rock chainlink-streams-relay is missing.
---@param options chainlink.KafkaOptions
---@return chainlink.Source? source
---@return chainlink.Error? err a ConfigError for settings that librdkafka refuses, …
---@return_overload chainlink.Source
---@return_overload nil, chainlink.Error
function SourceModule.kafka(options) end

---@class chainlink.KafkaOptions
---@field url string kafka://host:port[,host:port…]/topic
---@field feeds string[] ids
---@field from? "new"|"all"
---@field group? string shares the partitions out among its members
---@field settings? table<string, string> of librdkafka
---@field verify? chainlink.SignerRegistry|chainlink.SignerSet|false
---@field logger? fun(level: chainlink.Level, message: string, fields: table)
---@field log_level? chainlink.Level|"none"
---@field on_status? fun(event: chainlink.Status)
---@field loop? chainlink.Loop

---@class chainlink.RedisOptions
---@field url string redis://[user[:password]@]host[:port][,host[:port]…][/database], rediss://… for TLS, or unix:PATH
---@field feeds string[] ids
---@field from? integer|"new"|"all" Unix seconds of the first observations; "new": what comes from now on
---@field group? string shares the work with the group's other consumers
---@field consumer? string this one's name in the group
---@field tls? chainlink.RedisTlsOptions
---@field verify? chainlink.SignerRegistry|chainlink.SignerSet|false
---@field logger? fun(level: chainlink.Level, message: string, fields: table)
---@field log_level? chainlink.Level|"none"
---@field on_status? fun(event: chainlink.Status)
---@field loop? chainlink.Loop

---For a URL with rediss://.
---@class chainlink.RedisTlsOptions
---@field ca_file? string PEM; without it and ca_path: the system's authorities
---@field ca_path? string
---@field cert_file? string a certificate of one's own, PEM
---@field key_file? string its key

---Its own iterator: `for report in source do`.
---@class chainlink.Source
---@overload fun(): chainlink.Report?
local Source = {}

---The next report; waits up to timeout seconds, without one as long as it takes.
---@param timeout? number
---@return chainlink.Report? report
---@return chainlink.Error? err a TimeoutError, StreamClosedError, AuthenticationError, …
---@return_overload chainlink.Report
---@return_overload nil, chainlink.Error
function Source:read(timeout) end

---Never waits.
---@return chainlink.Report? report nil when none is there
---@return chainlink.Error? err when the source is over
function Source:poll() end

---The newest report seen of a feed, without taking it.
---@param feed_id string
---@return chainlink.Report?
function Source:latest(feed_id) end

---Waits until it is set up, and so begins where it is to.
---@param timeout? number
---@return chainlink.Source? source
---@return chainlink.Error? err
---@return_overload chainlink.Source
---@return_overload nil, chainlink.Error
function Source:connect(timeout) end

---In a group: the report taken last is done with too.
---@return true? done
---@return chainlink.Error? err a TimeoutError when the server does not know within a second
function Source:ack() end

---Readable when `poll` has something to do.
---@return integer
function Source:pollfd() end
---@return integer
function Source:getfd() end
---@return "r"
function Source:events() end
function Source:timeout() end
---@return boolean
function Source:dirty() end

---Writes what the script takes from now on into a file: docs/recordings.md.
---@param path string a file, or a folder for its recording.jsonl
---@param options? chainlink.RecordOptions
---@return true? done
---@return chainlink.Error? err a FileError
---@return_overload true
---@return_overload nil, chainlink.Error
function Source:record(path, options) end

---Writes now what waits to be written.
---@return true? done
---@return chainlink.Error? err the last failure to write since the last call
---@return_overload true
---@return_overload nil, chainlink.Error
function Source:flush() end

---Ends the recording, and not the source.
---@return true? done
---@return chainlink.Error? err as Source:flush
---@return_overload true
---@return_overload nil, chainlink.Error
function Source:unrecord() end

---@return chainlink.SourceStats
function Source:stats() end

---Ends it; again is harmless.
function Source:close() end

---@class chainlink.SourceStats
---@field feeds integer
---@field accepted integer reports that were taken
---@field total_received integer reports that came
---@field decode_errors integer entries that are no report of their feed and time
---@field unverified integer
---@field lost integer ranges told as lost
---@field lost_seconds integer
---@field queue_length integer
---@field configured_connections integer
---@field active_connections integer
---@field errors_count integer connections and attempts that failed
---@field reconnect_count integer connections that ended
---@field recording? chainlink.RecordingStats while it is recorded

---@class chainlink.ReplayOptions
---@field speed? number|"max" times as fast as the reports came, 1; "max": without waiting
---@field from? integer Unix seconds of the first observations
---@field to? integer Unix seconds of the last ones
---@field feeds? string[] ids; nil: all
---@field verify? chainlink.SignerRegistry|chainlink.SignerSet|false
---@field logger? fun(level: chainlink.Level, message: string, fields: table)
---@field log_level? chainlink.Level|"none"
---@field on_status? fun(event: chainlink.Status)
---@field loop? chainlink.Loop

---@class chainlink.RecordOptions
---@field rotate_bytes? integer a file that would become longer is renamed, and a new one begun
---@field rotate_seconds? integer the same where another such span of Unix time begins
---@field fsync? boolean wait after each write until the disk has it

---@class chainlink.RecordingStats
---@field reports integer written
---@field bytes integer
---@field unwritten integer reports that a failure to write cost
---@field files integer

---@class chainlink.StreamStats
---@field total_received integer
---@field accepted integer
---@field deduplicated integer
---@field out_of_order integer older than the newest delivered of their feed
---@field gaps integer where reports could be missing
---@field empty_gaps integer of these, with nothing missing
---@field backfilled integer reports that came over REST
---@field lost integer ranges that could not be had
---@field lost_seconds integer their seconds, as far as known, those of millisecond feeds rounded up
---@field dropped integer
---@field rejected integer
---@field decode_errors integer
---@field unverified integer not signed as they should be, and not delivered
---@field partial_reconnects integer
---@field full_reconnects integer
---@field configured_connections integer
---@field active_connections integer
---@field queue_length integer
---@field feeds integer that are subscribed, or about to be
---@field messages_received integer
---@field bytes_received integer
---@field errors_count integer
---@field reconnect_count integer
---@field connection_uptime number seconds
---@field last_message_time? number Unix seconds
---@field recording? chainlink.RecordingStats while it is recorded
---@field latency chainlink.Latency
---@field origins chainlink.OriginStats[]

---@class chainlink.Latency receive minus observation, milliseconds
---@field count integer
---@field sum number
---@field buckets { le: number, count: integer }[] how many were not longer than `le`
---@field min? number
---@field mean? number
---@field max? number

---@class chainlink.OriginStats
---@field origin? string
---@field host string
---@field state string
---@field messages_received integer
---@field bytes_received integer
---@field errors_count integer
---@field reconnect_count integer
---@field connection_uptime number seconds
---@field last_message_time? number Unix seconds
---@field ping_latency? number milliseconds

---Fields of a schema that was registered are declared by the program, with the class once more: docs/reports.md.
---@class chainlink.Report
---@field feed_id string
---@field version integer
---@field resolution? "s"|"ms" the unit of the times in the report, nil where it is not known
---@field observations_timestamp integer whole Unix seconds
---@field valid_from_timestamp? integer whole Unix seconds
---@field expires_at? integer whole Unix seconds: the report can be verified on chain until then
---@field observations_timestamp_ms integer the same in milliseconds
---@field valid_from_timestamp_ms? integer
---@field expires_at_ms? integer
---@field price? number the schema's main price
---@field decimals? integer of the main price, 18
---@field full_report string hex
---@field report_blob string hex
---@field report_context string[] three words
---@field config_digest string
---@field signatures chainlink.Signature[]
---@field received_at? number Unix seconds; nil when it did not come from the network
---@field origin? string
---@field backfilled boolean
--- Fields of the schemas, written by scripts/schema-table (make docs):
---@field benchmark_price? number median price (v1 to v4)
---price of simulated selling (v1, v3)
---best bid (v11)
---@field bid? number
---price of simulated buying (v1, v3)
---best ask (v11)
---@field ask? number
---@field current_block_num? integer|string number of the current block (v1)
---@field current_block_hash? string hash of the current block (v1)
---@field valid_from_block_num? integer|string the report is valid from this block (v1)
---@field current_block_timestamp? integer|string time of the current block, seconds (v1)
---@field native_fee? number fee to verify on chain, in the native token (v2 to v14)
---@field link_fee? number fee to verify on chain, in LINK (v2 to v14)
---0 unknown, 1 closed, 2 open (v4, v8, v10, v14)
---0 unknown, 1 pre-market, 2 regular hours, 3 post-market, 4 overnight, 5 closed (v11)
---@field market_status? integer
---@field rate? number the interest rate (v5)
---@field timestamp? integer time of the rate, seconds (v5)
---@field duration? integer how long the rate applies (v5)
---@field price2? number second price (v6)
---@field price3? number third price (v6)
---@field price4? number fourth price (v6)
---@field price5? number fifth price (v6)
---@field exchange_rate? number the redemption rate (v7)
---@field last_update_timestamp? integer|string time of the last price update, nanoseconds (v8, v10)
---@field mid_price? number middle of bid and ask (v8, v14)
---@field nav_per_share? number net asset value of one share (v9, v12)
---time of the net asset value, milliseconds (v9)
---time of the net asset value, nanoseconds (v12)
---@field nav_date? integer|string
---@field aum? number assets under management (v9)
---@field ripcord? integer 0 normal, 1 paused by the provider: do not use the value (v9, v12)
---@field current_multiplier? number multiplier in force, for corporate actions (v10)
---@field new_multiplier? number multiplier from the activation time on, 0 for none (v10)
---@field activation_date_time? integer when the new multiplier takes effect, 0 for none, seconds (v10)
---@field tokenized_price? number price of the tokenized asset (v10)
---@field mid? number middle of bid and ask (v11)
---@field last_seen_timestamp_ns? integer|string time of the newest price seen, nanoseconds (v11, v14)
---volume at the best bid (v11)
---volume at the best bid, a count (v13)
---@field bid_volume? number|integer|string
---volume at the best ask (v11)
---volume at the best ask, a count (v13)
---@field ask_volume? number|integer|string
---@field last_traded_price? number price of the last trade (v11, v13)
---@field next_nav_per_share? number the next net asset value of one share (v12)
---@field best_ask? number best ask (v13)
---@field best_bid? number best bid (v13)
---@field bid_price? number bid (v14)
---@field ask_price? number ask (v14)
---@field expiry_time? integer|string when the contract expires, seconds (v14)
---@field first_day_of_notice? integer|string the contract's first day of notice, seconds (v14)
---@field contract_month? integer month of the contract, 1 to 12; the chain takes any number (v14)
---@field goldman_roll_price? number price of the Goldman roll (v14)
---@field current_business_day? integer business day within the roll, a count (v14)
---@field interpolated_goldman_roll_price? number price of the interpolated Goldman roll (v14)
--- Fields end
---@operator len: integer
local Report = {}

---Exact decimal text of a field; nil when the schema has no such field.
---@param field string
---@param decimals? integer in place of the schema's
---@return string?
function Report:exact(field, decimals) end

---The integer as it was signed, as text.
---@param field string
---@return string?
function Report:raw(field) end

---The nearest number.
---@param field string
---@param decimals? integer in place of the schema's
---@return number?
function Report:number(field, decimals) end

---The full report as bytes.
---@return string
function Report:bytes() end

---@return string? name "open", "closed", …
function Report:market_status_name() end

---Is it too late to verify the report on chain?
---@param now? number Unix seconds
---@return boolean?
function Report:is_expired(now) end

---A plain table of all fields and `price`; what is wider than 32 bits is exact text.
---@return table<string, string|number>
function Report:to_table() end

---One line of JSON with the values of to_table.
---@return string
function Report:to_json() end

---Does the provider say that the value must not be used (ripcord)?
---@return boolean? paused nil when the report has no ripcord
function Report:is_paused() end

---What the oracles signed: keccak256(keccak256(blob) || context).
---@return string
function Report:digest() end

---The addresses that the signatures are of, in lower case, in the order of the signatures.
---@return string[]? addresses
---@return chainlink.Error? err a VerificationError
---@return_overload string[]
---@return_overload nil, chainlink.Error
function Report:signers() end

---Is the report signed as the Verifier contract wants it?
---@param by chainlink.SignerRegistry|chainlink.SignerSet
---@return true? verified
---@return chainlink.Error? err a VerificationError with its reason
---@return_overload true
---@return_overload nil, chainlink.Error
function Report:verify(by) end

---The report's JSON in Snappy's block format, as the Rust SDK's compress_report makes it.
---@return string? compressed
---@return chainlink.Error? err a ConfigError in a build without libsnappy
---@return_overload string
---@return_overload nil, chainlink.Error
function Report:compress() end

---@class chainlink.OnchainModule
---@field networks table<string, {verifier_proxy: string, label: string}> the known VerifierProxies
---@overload fun(options: chainlink.OnchainOptions): chainlink.Onchain

---@class chainlink.OnchainOptions
---@field rpc_url string an Ethereum node
---@field network? string a name of chainlink.onchain.networks
---@field verifier_proxy? string the address, where there is no network
---@field from? string address to ask as
---@field from_block? integer where to begin to look for events, default 0
---@field timeout? number seconds for a whole request, default 30
---@field connect_timeout? number seconds, default 5
---@field max_retries? integer default 3
---@field retry_delay? number seconds, default 0.5
---@field retry_max_delay? number seconds, default 10
---@field rate_limit? number|false questions per second, default false
---@field circuit_breaker? chainlink.Breaker|false
---@field headers? table<string, string>
---@field tls? chainlink.Tls
---@field proxy? string|false
---@field logger? fun(level: string, message: string, fields: table)
---@field log_level? "debug"|"info"|"warn"|"error"|"none" default "info"
---@field on_response? fun(response: chainlink.Response)
---@field loop? chainlink.Loop

---@class chainlink.Onchain
local Onchain = {}

---Lets the contract verify a report: by its view functions where it has them (VerifierProxy 2.0.1).
---@param report chainlink.Report
---@return true? ok
---@return chainlink.Error? err a VerificationError when the contract refuses it, an AuthenticationError with the reason
---AccessForbidden when its access controller refuses who asks
---@return_overload true
---@return_overload nil, chainlink.Error
function Onchain:verify(report) end

---Lets the contract verify several reports with one question.
---@param reports chainlink.Report[]
---@return true? ok
---@return chainlink.Error? err err.index is the place of the first one that is refused
---@return_overload true
---@return_overload nil, chainlink.Error
function Onchain:verify_bulk(reports) end

---Who signs for a config digest.
---@param config_digest string
---@return chainlink.SignerSet? set
---@return chainlink.Error? err
---@return_overload chainlink.SignerSet
---@return_overload nil, chainlink.Error
function Onchain:signers(config_digest) end

---Ends its connections. May be called again.
function Onchain:close() end

---@class chainlink.SignerSet
---@field signers string[] addresses, more than 3 * f and at most 31
---@field f integer 1 or more; exactly f + 1 signatures verify
---@field active? boolean false: deactivated, verifies nothing

---@class chainlink.Signers
---@overload fun(configurations?: table<string, chainlink.SignerSet>): chainlink.SignerRegistry
local Signers = {}

---@param path string a JSON file of the same form, or of one configuration with its `config_digest` as a member
---@return chainlink.SignerRegistry? registry
---@return chainlink.Error? err a ConfigError
---@return_overload chainlink.SignerRegistry
---@return_overload nil, chainlink.Error
function Signers.from_file(path) end

---@class chainlink.SignerRegistry
---@operator len: integer
local SignerRegistry = {}

---Adds a configuration, or replaces the one of that digest.
---@param config_digest string
---@param set chainlink.SignerSet
---@return chainlink.SignerRegistry
function SignerRegistry:add(config_digest, set) end

---@param config_digest string
---@return boolean found
function SignerRegistry:remove(config_digest) end

---@param config_digest string
---@return chainlink.SignerSet? copy
function SignerRegistry:get(config_digest) end

---@return fun(): string?, chainlink.SignerSet?
function SignerRegistry:each() end

---@class chainlink.Signature
---@field r? string
---@field s? string
---@field v? integer 27 or 28

---@class chainlink.Schemas
---@field [integer] chainlink.Schema
local Schemas = {}

---Adds a schema for the rest of the process. Wrong definitions and versions that are there raise a ConfigError.
---@param definition chainlink.SchemaDefinition
---@return chainlink.Schema
function Schemas:register(definition) end

---Adds the schemas of a JSON file: an array of definitions, or one. What is wrong with one that is not the first leaves
---those before it added.
---@param path string
---@return chainlink.Schema[]? schemas
---@return chainlink.Error? err a ConfigError that names the file
---@return_overload chainlink.Schema[]
---@return_overload nil, chainlink.Error
function Schemas:load(path) end

---@class chainlink.SchemaDefinition
---@field version integer 1 to 4095
---@field name? string
---@field price? string default: the field price or benchmark_price
---@field fields chainlink.FieldDefinition[] in ABI order, the first one feed_id

---@class chainlink.FieldDefinition
---@field name string lower-case letters, digits and _
---@field type string "uint8" to "uint256", "int8" to "int256", "bytes32", "bool", "address", "bytes", "string"
---@field decimals? integer default 18 for 192 bits, else 0
---@field unit? string
---@field meaning? string
---@field abi_name? string default: made from the name

---@class chainlink.Schema
---@field version integer
---@field name string
---@field price? string the name of the main price
---@field fields chainlink.Field[] in ABI order

---@class chainlink.Field
---@field name string
---@field abi_name string
---@field type string "bytes32", "uint32", "int192", "string", …
---@field unit? string "seconds", "price", …
---@field decimals integer
---@field meaning string

---@alias chainlink.Kind
---| "ConfigError"
---| "AuthenticationError"
---| "InvalidFeedIDError"
---| "APIError"
---| "RateLimitError"
---| "NetworkError"
---| "TimeoutError"
---| "DecodeError"
---| "StreamClosedError"
---| "VerificationError"
---| "CircuitOpenError"
---| "FileError"
---| "MemoryError"
---| "ChainlinkError" every error

---@class chainlink.Error
---@field kind chainlink.Kind
---@field message string
---@field retryable boolean can trying again help
---@field status? integer HTTP status
---@field body? string start of the answer's body
---@field retry_after? number seconds
---@field clock_skew? number local clock minus the service's, seconds
---@field offset? integer of the fault in the input
---@field expected? string what was expected there
---@field reason? string of a VerificationError, as the contract names it
---@field where? string "file:line" of a mistake in the program
---@field code? integer of an Ethereum node's error
---@field config_digest? string that a contract knows no verifier for
---@field got? integer what there was in place of `expected`, as a contract tells
---@field index? integer of the first report that Onchain:verify_bulk was refused for
local Error = {}

---@param kind chainlink.Kind
---@return boolean
function Error:is(kind) end

return chainlink
