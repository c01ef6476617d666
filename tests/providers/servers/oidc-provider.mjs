// A real oidc-provider for tests: node oidc-provider.mjs PORT LOG-FILE LOG-EVENTS-MODULE, in a folder with its node_modules.
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import path from 'node:path'

const [port, file, logEventsModule] = process.argv.slice(2)
const modules = createRequire(path.join(process.cwd(), 'here.js'))
const { default: Provider } = await import(pathToFileURL(modules.resolve('oidc-provider')))
const { logEvents } = await import(pathToFileURL(logEventsModule))

const issuer = `http://127.0.0.1:${port}`
const provider = new Provider(issuer, {
  clients: [
    { client_id: 'billing', client_secret: 'made-up-secret-of-billing', grant_types: ['client_credentials'], redirect_uris: [], response_types: [] },
    { client_id: 'gateway', client_secret: 'made-up-secret-of-gateway', grant_types: ['client_credentials'], redirect_uris: [], response_types: [] },
    { client_id: 'web', client_secret: 'made-up-secret-of-web', redirect_uris: ['https://app.example/cb'],
      grant_types: ['authorization_code', 'refresh_token'] },
  ],
  features: { devInteractions: { enabled: false }, clientCredentials: { enabled: true }, introspection: { enabled: true, allowedPolicy: () => true },
    revocation: { enabled: true, allowedPolicy: () => true } },
  findAccount: async (ctx, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
  issueRefreshToken: async (ctx, client) => client.grantTypeAllowed('refresh_token'),
  rotateRefreshToken: true,
  pkce: { required: () => true },
  interactions: { url: (ctx, interaction) => `/sign-in/${interaction.uid}` },
  cookies: { keys: ['made-up-key-of-cookies'] },
})
provider.proxy = true

// Whoever asks is signed in as the user in the header, and consents.
provider.use(async (ctx, next) => {
  if (!ctx.path.startsWith('/sign-in/')) return next()
  const { params, session } = await provider.interactionDetails(ctx.req, ctx.res)
  const accountId = session?.accountId ?? ctx.get('x-user')
  const grant = new provider.Grant({ accountId, clientId: params.client_id })
  grant.addOIDCScope(params.scope)
  await provider.interactionFinished(ctx.req, ctx.res, { login: { accountId }, consent: { grantId: await grant.save() } })
  ctx.respond = false
})
logEvents(provider, file)
provider.listen(Number(port), '127.0.0.1', () => console.log('ready'))
