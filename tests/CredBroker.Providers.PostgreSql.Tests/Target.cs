using System.Text.Json;
using System.Text.Json.Nodes;
using CredBroker.Abstractions;
using CredBroker.Testing.Conformance;
using CredBroker.TestSupport.Postgres;
using Npgsql;

namespace CredBroker.Providers.PostgreSql.Tests;

/// <summary>A database of its own with a group, a table, and a least-privileged login for the broker.</summary>
internal sealed class Target : IAsyncDisposable
{
    public const string SecretSource = "broker-password";

    private Target(PostgresDatabase database, string group, PostgresLogin broker)
    {
        Database = database;
        Group = group;
        Broker = broker;
        Context = TestContexts.Create(TimeProvider.System, new Dictionary<string, string> { [SecretSource] = broker.Password }, NewInstallation());
        Configuration = Configure();
    }

    public PostgresDatabase Database { get; }

    public string Group { get; }

    public PostgresLogin Broker { get; }

    public ProviderContext Context { get; }

    public JsonElement Configuration { get; }

    public PostgreSqlProviderType Type { get; } = new();

    public static async Task<Target> CreateAsync()
    {
        var database = await PostgresServer.CreateDatabaseAsync();
        await database.ExecuteAsync("CREATE TABLE public.things (id int8); INSERT INTO public.things VALUES (1)");
        var group = await database.CreateGroupAsync();
        return new Target(database, group, await database.CreateBrokerLoginAsync(group));
    }

    public JsonElement Configure(string? database = null, string? username = null, IEnumerable<string>? groups = null, int? port = null) => new JsonObject
    {
        ["host"] = Database.Host,
        ["port"] = port ?? Database.Port,
        ["database"] = database ?? Database.Name,
        ["username"] = username ?? Broker.Username,
        ["password"] = new JsonObject { ["source"] = SecretSource },
        ["sslMode"] = "disable",
        ["groups"] = new JsonArray([.. (groups ?? [Group]).Select(group => JsonValue.Create(group))]),
    }.Deserialize<JsonElement>();

    public IProvider Connect(JsonElement? configuration = null) => Type.Create(Context, configuration ?? Configuration);

    public IssueRequest NewRequest(string? template = null)
    {
        var lease = Uid.New(TimeProvider.System);
        var now = TimeProvider.System.GetUtcNow();
        return new IssueRequest
        {
            LeaseId = lease,
            TaskId = Uid.New(TimeProvider.System),
            ExternalName = $"cb_{Context.InstallationId}_{lease}",
            Mark = $"cb1:{Context.InstallationId}:{lease}:0123abcd:{new string('m', 43)}",
            RoleKind = "login",
            Template = JsonElement.Parse(template ?? $$"""{"groups":["{{Group}}"]}"""),
            Workload = "source/subject",
            Deadline = now.AddSeconds(30),
            ExpiresAt = now.AddMinutes(10),
        };
    }

    public static RevokeRequest Revoking(IssueRequest request, Handle? handle = null, DateTimeOffset? mayStillArriveUntil = null) => new()
    {
        LeaseId = request.LeaseId,
        ExternalName = request.ExternalName,
        Handle = handle,
        RoleKind = "login",
        Mark = request.Mark,
        PossibleDeathAt = request.ExpiresAt,
        MayStillArriveUntil = mayStillArriveUntil,
    };

    /// <summary>Opens a session of the credential, which is not pooled.</summary>
    public async Task<NpgsqlConnection> OpenAsync(IssuedCredential credential, string? database = null)
    {
        var settings = new NpgsqlConnectionStringBuilder(Database.ConnectionStringFor(
            credential.Fields["username"].Value.Reveal(), credential.Fields["password"].Value.Reveal()))
        {
            Database = database ?? credential.Fields["database"].Value.Reveal(),
        };
        var connection = new NpgsqlConnection(settings.ConnectionString);
        await connection.OpenAsync();
        return connection;
    }

    public async Task<bool> IsAcceptedAsync(IssuedCredential credential)
    {
        try
        {
            await using var connection = await OpenAsync(credential);
            return true;
        }
        catch (PostgresException)
        {
            return false;
        }
    }

    public static async Task<bool> ReadsAsync(NpgsqlConnection connection)
    {
        try
        {
            await using var command = new NpgsqlCommand("SELECT count(*) FROM public.things", connection);
            return await command.ExecuteScalarAsync() is long;
        }
        catch (NpgsqlException)
        {
            return false;
        }
    }

    public static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>Waits by the server's own clock.</summary>
    public Task PassTimeAsync(DateTimeOffset until) => Database.ExecuteAsync(
        $"SELECT pg_sleep(greatest(0, extract(epoch FROM '{until.UtcDateTime:O}'::timestamptz - clock_timestamp()) + 0.01))");

    public async Task<RevokeOutcome> RevokeUntilDeadAsync(IProvider provider, RevokeRequest request)
    {
        for (var look = 0; look < 10; look++)
        {
            var outcome = await provider.RevokeAsync(request, CancellationToken.None);
            if (outcome is not RevokeOutcome.Settling settling) return outcome;
            request = request with { Handle = settling.Handle ?? request.Handle };
            await PassTimeAsync(settling.Until);
        }

        throw new AssertionException("It does not settle.");
    }

    public ValueTask DisposeAsync() => Database.DisposeAsync();

    // Each test lists only what is its own.
    private static string NewInstallation() => Uid.New(TimeProvider.System).ToString()[^6..];
}
