using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;
using Google.Protobuf.WellKnownTypes;
using Npgsql;
using Quickstart;

namespace CredBroker.Server.Tests.Secrets;

/// <summary>A server that speaks PostgreSQL's protocol (its documentation, "Message Formats") and asks for the password in one of its ways.</summary>
internal sealed class RoguePostgres(string name, byte[] demand) : RogueTarget
{
    private const int Cleartext = 3;
    private const int Md5 = 5;
    private const int Sasl = 10;

    public static IReadOnlyList<RogueTarget> Ways { get; } =
    [
        new RoguePostgres("postgresql that asks for the password in the clear", Demand(Cleartext)),
        new RoguePostgres("postgresql that asks for its MD5 hash", Demand(Md5, 1, 2, 3, 4)),
        new RoguePostgres("postgresql that asks for a SCRAM proof", Demand(Sasl, [.. "SCRAM-SHA-256\0\0"u8])),
    ];

    public override string Name => name;

    public override string Type => "postgresql";

    public override Struct Point(Struct configuration, string host, int port)
    {
        var changed = configuration.Clone();
        changed.Fields["host"] = Value.ForString(host);
        changed.Fields["port"] = Value.ForNumber(port);
        return changed;
    }

    public override async Task AnswerAsync(Stream stream, Action<byte[]> keep, CancellationToken cancellationToken)
    {
        keep(await ReadAsync(stream, typed: false, cancellationToken));
        await stream.WriteAsync(demand, cancellationToken);
        var first = await ReadAsync(stream, typed: true, cancellationToken);
        keep(first);
        if (demand[8] != Sasl) return;

        // The nonce is the client's with some more; few rounds, so that guessing is cheap.
        var text = Encoding.Latin1.GetString(first);
        var nonce = text[(text.IndexOf("r=", StringComparison.Ordinal) + 2)..];
        await stream.WriteAsync(Demand(11, Encoding.ASCII.GetBytes($"r={nonce}attacker,s={Convert.ToBase64String(new byte[16])},i=4096")), cancellationToken);
        keep(await ReadAsync(stream, typed: true, cancellationToken));
    }

    public override async Task<bool> WorksAsync(RealTargets targets, IReadOnlyList<byte[]> caught)
    {
        var target = targets.Database;
        foreach (var message in caught.Skip(1))
        {
            var texts = Encoding.Latin1.GetString(message.AsSpan(5)).Split('\0');
            foreach (var candidate in texts.Concat(texts.SelectMany(text => text.Split(','))).Select(part => part.StartsWith("p=", StringComparison.Ordinal) ? part[2..] : part).Where(part => part.Length > 0))
                if (await OpensAsync(target, candidate)) return true;
        }

        return await ReplaysAsync(target, caught);
    }

    public override Task TellAsync(RealTargets targets, RecordingListener listener)
    {
        listener.Keep([]);
        listener.Keep([(byte)'p', 0, 0, 0, 0, .. Encoding.ASCII.GetBytes(targets.Database.Password), 0]);
        return Task.CompletedTask;
    }

    private static async Task<bool> OpensAsync(TargetDatabase target, string password)
    {
        var settings = new NpgsqlConnectionStringBuilder(target.Settings.ConnectionString) { Username = target.BrokerLogin, Password = password, Pooling = false };
        try
        {
            await using var connection = new NpgsqlConnection(settings.ConnectionString);
            await connection.OpenAsync();
            return true;
        }
        catch (PostgresException)
        {
            return false;
        }
    }

    /// <summary>Says to the real one, word by word, what was said to the attacker's. AuthenticationOk (0) would mean that it is let in.</summary>
    private static async Task<bool> ReplaysAsync(TargetDatabase target, IReadOnlyList<byte[]> caught)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(target.Settings.Host!, target.Settings.Port);
        var stream = client.GetStream();
        try
        {
            foreach (var message in caught)
            {
                await stream.WriteAsync(message);
                var answer = await ReadAsync(stream, typed: true, CancellationToken.None);
                if (answer[0] == 'E') return false;
                if (answer[0] == 'R' && BinaryPrimitives.ReadInt32BigEndian(answer.AsSpan(5)) == 0) return true;
            }
        }
        catch (IOException)
        {
            return false; // It hung up.
        }

        return false;
    }

    private static byte[] Demand(int kind, params byte[] more)
    {
        var message = new byte[9 + more.Length];
        message[0] = (byte)'R';
        BinaryPrimitives.WriteInt32BigEndian(message.AsSpan(1), 8 + more.Length);
        BinaryPrimitives.WriteInt32BigEndian(message.AsSpan(5), kind);
        more.CopyTo(message, 9);
        return message;
    }

    private static async Task<byte[]> ReadAsync(Stream stream, bool typed, CancellationToken cancellationToken)
    {
        var before = typed ? 1 : 0;
        var head = new byte[before + 4];
        await stream.ReadExactlyAsync(head, cancellationToken);
        var message = new byte[before + BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(before))];
        head.CopyTo(message, 0);
        await stream.ReadExactlyAsync(message.AsMemory(head.Length), cancellationToken);
        return message;
    }
}
