using System.Security.Cryptography;
using System.Text;
using CredBroker.Core.Leases;
using CredBroker.Core.Workloads;

namespace CredBroker.Core;

/// <summary>Makes the keys under which repeated requests are recognised.</summary>
internal static class RequestKeys
{
    /// <summary>The key of a request; null when the caller gave no id. Unique per principal, instance, method and parent, so that nobody can collide with another's.</summary>
    public static RequestKey? Of(Caller caller, string method, string parent, string requestId, int attempt, params IEnumerable<string> body) =>
        requestId.Length == 0 ? null : new RequestKey(
            Hash([caller.Workload.Uid.ToString(), caller.Identity.Instance ?? "", method, parent, requestId]), Hash(body), attempt);

    // Each part with its length, so that no two lists of parts join to the same text.
    private static byte[] Hash(IEnumerable<string> parts)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var part in parts)
        {
            var bytes = Encoding.UTF8.GetBytes(part);
            hash.AppendData(BitConverter.GetBytes(bytes.Length));
            hash.AppendData(bytes);
        }

        return hash.GetHashAndReset();
    }
}
