// npm's bittorrent-tracker at a tracker: announces as a seed, then scrapes.
//
//	node ask.mjs MODULES URL INFO_HASH PORT
//
// MODULES is the node_modules folder. Prints "announced COMPLETE", then
// "scraped COMPLETE"; when it is ended it says so to the tracker.
import { pathToFileURL } from 'node:url'

const [modules, url, infoHash, port] = process.argv.slice(2)
const { default: Client } = await import(
  pathToFileURL(modules + '/bittorrent-tracker/index.js'))
const client = new Client({
  infoHash,
  peerId: Buffer.from('-NP0001-000000000001'),
  announce: [url],
  port: Number(port),
  wrtc: false
})
client.on('error', e => console.error(e.message))
client.on('warning', e => console.error(e.message))
client.once('update', data => {
  console.log('announced ' + data.complete)
  client.scrape()
})
client.on('scrape', data => console.log('scraped ' + data.complete))
process.on('SIGTERM', () => {
  client.stop()
  client.destroy(() => process.exit(0))
})
client.start({ left: 0 })
