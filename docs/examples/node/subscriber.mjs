// An enforcement system as a subscriber of Shopwarden, with kafkajs: what docs/contracts.md asks of consumers.
//
//   npm ci
//   node subscriber.mjs --brokers 127.0.0.1:9092 --state enforcement.jsonl
//   node subscriber.mjs --state enforcement.jsonl --list
//
// - Each event counts once. Kafka delivers at least once; what was done is on disk before offsets are committed, and
//   repeats are known by each merchant's and creator's sequence.
// - Per merchant in order: a partition's events are taken one after another.
// - Only mode live acts, and what requires_review waits.
// - It begins with the standings, because an action may be older than the events that are still in the topic.
// - Types, fields and actions that it does not know stop nothing.

import { parseArgs } from 'node:util'
import kafkajs from 'kafkajs'
import lz4 from 'lz4js'
import { Enforcement } from './enforcement.mjs'

const { Kafka, CompressionCodecs, CompressionTypes, logLevel } = kafkajs
// Shopwarden compresses with LZ4 (SHOPWARDEN_KAFKA__COMPRESSION), which kafkajs has no codec for by itself.
CompressionCodecs[CompressionTypes.LZ4] = () => ({
  compress: async encoder => Buffer.from(lz4.compress(encoder.buffer)),
  decompress: async buffer => Buffer.from(lz4.decompress(buffer))
})

const { values: options } = parseArgs({
  options: {
    brokers: { type: 'string', default: '127.0.0.1:9092' },
    topic: { type: 'string', default: 'governance-events' },
    standings: { type: 'string', default: 'merchant-standing,creator-standing' }, // '' begins with the events alone
    group: { type: 'string', default: 'enforcement' },
    state: { type: 'string', default: 'enforcement.jsonl' },
    'session-timeout-ms': { type: 'string', default: '45000' },
    'rebalance-timeout-ms': { type: 'string', default: '60000' },
    list: { type: 'boolean', default: false }
  }
})

const enforcement = new Enforcement(options.state)
if (options.list) {
  for (const { party, action, subject, state } of enforcement.listed(Date.now())) {
    console.log([party, action, subject, state].join('\t'))
  }
  process.exit(0)
}

const kafka = new Kafka({ clientId: 'enforcement', brokers: options.brokers.split(','), logLevel: logLevel.WARN })
const timeouts = {
  sessionTimeout: Number(options['session-timeout-ms']),
  rebalanceTimeout: Number(options['rebalance-timeout-ms']),
  heartbeatInterval: Number(options['session-timeout-ms']) / 10
}

// The compacted topics, from their beginning to their end. A group of its own, so that nobody else takes a partition.
async function readStandings (topics) {
  const admin = kafka.admin()
  await admin.connect()
  const existing = new Set(await admin.listTopics())
  const unread = new Set()
  for (const topic of topics.filter(topic => existing.has(topic))) {
    for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
      if (BigInt(high) > BigInt(low)) unread.add(`${topic} ${partition}`)
    }
  }
  await admin.disconnect()
  const latest = new Map()
  if (unread.size === 0) return latest
  const reader = kafka.consumer({ groupId: `${options.group}-standings-${process.pid}-${Date.now()}`, ...timeouts })
  await reader.connect()
  await reader.subscribe({ topics: topics.filter(topic => existing.has(topic)), fromBeginning: true })
  await new Promise((resolve, reject) => {
    reader.on(reader.events.CRASH, ({ payload }) => reject(payload.error))
    reader.run({
      autoCommit: false,
      eachBatch: async ({ batch }) => {
        for (const { key, value } of batch.messages) {
          if (value === null) latest.delete(`${batch.topic} ${key}`)
          else latest.set(`${batch.topic} ${key}`, JSON.parse(value))
        }
        if (BigInt(batch.lastOffset()) + 1n >= BigInt(batch.highWatermark)) unread.delete(`${batch.topic} ${batch.partition}`)
        if (unread.size === 0) resolve()
      }
    }).catch(reject)
  })
  await reader.disconnect()
  return latest
}

if (enforcement.isNew && options.standings) {
  for (const standing of (await readStandings(options.standings.split(','))).values()) enforcement.adopt(standing)
  enforcement.flush()
}

const consumer = kafka.consumer({ groupId: options.group, ...timeouts })
let stopping = false
async function stop (code) {
  if (stopping) return
  stopping = true
  await consumer.disconnect()
  enforcement.close()
  process.exit(code)
}
process.on('SIGTERM', () => stop(0))
process.on('SIGINT', () => stop(0))
consumer.on(consumer.events.CRASH, ({ payload }) => {
  console.error(`stopped: ${payload.error.message}`)
  if (!payload.restart) stop(1)
})

await consumer.connect()
await consumer.subscribe({ topic: options.topic, fromBeginning: true })
await consumer.run({
  autoCommit: false,
  eachBatch: async ({ batch, heartbeat, isRunning, isStale }) => {
    if (!isRunning() || isStale()) return
    for (const { value, headers } of batch.messages) enforcement.take(headers.ce_id.toString(), JSON.parse(value))
    enforcement.flush()
    // After the effects: what is read again after a crash is passed over as a repeat.
    const offset = (BigInt(batch.lastOffset()) + 1n).toString()
    await consumer.commitOffsets([{ topic: batch.topic, partition: batch.partition, offset }])
    await heartbeat()
  }
})
