-- Posts signals as fast as they are answered: one a request, or an array of them.
-- arguments: prefix, signals a request, how many troubles (0: each is a new one)
-- environment: BENCH_TOKEN, BENCH_SIGNAL with `{key}` where the trouble's key belongs
local signal = os.getenv("BENCH_SIGNAL")
local threads = 0

function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

function init(args)
  prefix, size, troubles = args[1], tonumber(args[2]), tonumber(args[3])
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "application/json"
  local token = os.getenv("BENCH_TOKEN")
  if token ~= "" then wrk.headers["Authorization"] = "Bearer " .. token end
  before, after = signal:match("^(.-){key}(.*)$")
  sent = 0
end

local function one()
  local n = troubles > 0 and sent % troubles or sent
  sent = sent + 1
  return before .. prefix .. "-" .. number .. "-" .. n .. after
end

function request()
  if size == 1 then return wrk.format(nil, nil, nil, one()) end
  local signals = {}
  for i = 1, size do signals[i] = one() end
  return wrk.format(nil, nil, nil, "[" .. table.concat(signals, ",") .. "]")
end

function done(summary, latency, _)
  local e = summary.errors
  io.write(string.format(
    'RESULT {"answered":%d,"refused":%d,"broken":%d,"seconds":%.6f,"p50_ms":%.3f,"p99_ms":%.3f}\n',
    summary.requests, e.status, e.connect + e.read + e.write + e.timeout,
    summary.duration / 1e6, latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
