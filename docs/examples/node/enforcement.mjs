// Which actions are in force, and which wait for a person: kept in a file of JSON lines, one for each event.
//
// The file stands for a table of your database. A line says both that an event was seen and what followed from it, so
// after a crash neither can be there without the other; half a line at the end is what a crash cut off, and goes.

import { closeSync, existsSync, fsyncSync, openSync, readFileSync, truncateSync, writeSync } from 'node:fs'

const DECIDED = 'shopwarden.enforcement.decided.v1'
const REVERSED = 'shopwarden.enforcement.reversed.v1'
// What this system can do. Another action is for a person until it has been taught.
const KNOWN_ACTIONS = new Set([
  'demote_listing', 'remove_listing', 'limit_orders', 'block_new_listings', 'hold_payout', 'freeze_commission',
  'suspend_merchant', 'suspend_creator', 'close_merchant', 'require_review'
])

// Whom an event is numbered for. Events about creators have an empty merchant_id.
export function partyOf (event) {
  if (event.creator_id) return `creator ${event.creator_id}`
  return event.merchant_id ? `merchant ${event.merchant_id}` : 'shard'
}

export class Enforcement {
  constructor (path) {
    this.sequences = new Map() // by party: how far it has come
    this.ids = new Set() // of events about shards, which have no sequence
    this.standing = new Map() // by decision: what is in force or waits
    const text = existsSync(path) ? readFileSync(path) : Buffer.alloc(0)
    const whole = text.lastIndexOf(0x0a) + 1
    if (whole < text.length) truncateSync(path, whole)
    for (const line of text.toString('utf8', 0, whole).split('\n')) if (line) this.#apply(JSON.parse(line))
    this.isNew = whole === 0
    this.file = openSync(path, 'a')
    this.unwritten = []
  }

  // Begin with what is in force by a standing; events up to its sequence are in it.
  adopt (standing) {
    if (standing.mode !== 'live') return
    const changes = standing.enforcements.map(action => this.#begin(partyOf(standing), action))
    this.#note({ party: partyOf(standing), sequence: standing.sequence, effect: 'adopted', changes })
  }

  // Act on one event, unless it is a repeat.
  take (id, event) {
    const party = partyOf(event)
    const sequence = event.sequence ?? null
    if (sequence === null ? this.ids.has(id) : sequence <= (this.sequences.get(party) ?? 0)) return
    this.#note({ id, party, sequence, type: event.type, ...this.#consequences(party, event) })
  }

  #consequences (party, event) {
    if (event.type !== DECIDED && event.type !== REVERSED) return { effect: 'nothing to do' }
    if (event.mode !== 'live') return { effect: 'not live' }
    if (event.type === REVERSED) return { effect: 'ended', changes: [{ end: event.reverses }] }
    const changes = event.supersedes ? [{ end: event.supersedes }] : []
    if (event.action === 'warn') return { effect: 'a warning restricts nothing', changes }
    const begun = this.#begin(party, event)
    return { effect: begun.state, changes: [...changes, begun] }
  }

  // Where payouts would be held and listings removed, or a decision be shown to a person. The verdict goes back as
  // review.decided, and comes out as a new decision. An action ends by enforcement.reversed, at the latest at expires_at.
  #begin (party, { decision_id: begin, action, subject, expires_at: expires = null, requires_review: review = false }) {
    const state = review || !KNOWN_ACTIONS.has(action) ? 'waiting' : 'in force'
    return { begin, party, action, subject: `${subject.kind} ${subject.id}`, expires, state }
  }

  #note (line) {
    this.#apply(line)
    this.unwritten.push(JSON.stringify(line) + '\n')
  }

  #apply ({ id, party, sequence, changes = [] }) {
    if (sequence === null) this.ids.add(id)
    else this.sequences.set(party, sequence)
    for (const change of changes) {
      if (change.end) this.standing.delete(change.end)
      else this.standing.set(change.begin, change)
    }
  }

  // On disk; only then may offsets be committed.
  flush () {
    if (this.unwritten.length === 0) return
    writeSync(this.file, this.unwritten.join(''))
    fsyncSync(this.file)
    this.unwritten = []
  }

  // What is in force or waits at a time (ms).
  listed (now) {
    return [...this.standing.values()].filter(({ expires }) => expires === null || expires > now)
  }

  close () {
    this.flush()
    closeSync(this.file)
  }
}
