using CredBroker.Abstractions;
using CredBroker.Providers.Vault.Client;

namespace CredBroker.Providers.Vault.Session;

/// <summary>Sends calls with the broker's own token, which it keeps alive: one log-in at a time, whoever waits for it.</summary>
internal sealed class BrokerSessions : IDisposable
{
    private readonly SemaphoreSlim _one = new(1, 1);
    private readonly ProviderContext _context;
    private readonly VaultClient _client;
    private volatile BrokerSession? _session;

    public BrokerSessions(ProviderContext context, VaultConfiguration configuration)
    {
        _context = context;
        _client = new VaultClient(context, configuration);
        Login = new BrokerLogin(context, configuration, _client);
    }

    public BrokerLogin Login { get; }

    /// <summary>Sends with the broker's token. One that is no longer good is replaced, and the call sent again: a refused token had no effect.</summary>
    public async Task<(VaultReply Reply, BrokerSession Session)> SendAsync(VaultCall call, CancellationToken cancellationToken)
    {
        var session = await GetAsync(cancellationToken).ConfigureAwait(false);
        var reply = await _client.SendAsync(call, session.Token, cancellationToken).ConfigureAwait(false);
        if (!reply.RefusesToken) return (reply, session);
        Forget(session);
        session = await GetAsync(cancellationToken).ConfigureAwait(false);
        return (await _client.SendAsync(call, session.Token, cancellationToken).ConfigureAwait(false), session);
    }

    /// <summary>Sends with another token.</summary>
    public Task<VaultReply> SendAsAsync(Secret token, VaultCall call, CancellationToken cancellationToken) => _client.SendAsync(call, token, cancellationToken);

    /// <summary>The target that calls reach now.</summary>
    public async Task<BrokerSession> GetAsync(CancellationToken cancellationToken)
    {
        if (_session is { } session && _context.Time.GetUtcNow() < session.RenewAt) return session;
        await _one.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var now = _context.Time.GetUtcNow();
            if (_session is { } current)
            {
                if (now < current.RenewAt) return current;
                if (now < current.ExpiresAt && await RenewAsync(current, cancellationToken).ConfigureAwait(false) is { } renewed) return _session = renewed;
            }

            return _session = await Login.RunAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>Another log-in in place of one that leads elsewhere.</summary>
    public Task<BrokerSession> AnewAsync(BrokerSession old, CancellationToken cancellationToken)
    {
        Forget(old);
        return GetAsync(cancellationToken);
    }

    public void Dispose()
    {
        _client.Dispose();
        _one.Dispose();
    }

    // Null: log in anew, because it cannot be renewed or comes to its largest life.
    private async Task<BrokerSession?> RenewAsync(BrokerSession session, CancellationToken cancellationToken)
    {
        if (!session.Renewable) return null;
        var sent = _context.Time.GetUtcNow();
        var reply = await _client.SendAsync(VaultCall.Post("auth/token/renew-self", "{}"u8.ToArray()), session.Token, cancellationToken).ConfigureAwait(false);
        if (!reply.Succeeded || reply.Answer.Auth is not { LeaseDuration: > 0 } auth) return null;
        var life = TimeSpan.FromSeconds(auth.LeaseDuration);
        return life < session.Life / 2 ? null : session with { ExpiresAt = sent + life, Renewable = auth.Renewable };
    }

    private void Forget(BrokerSession refused) => Interlocked.CompareExchange(ref _session, null, refused);
}
