using Google.Protobuf;

namespace CredBroker.Contracts.V1;

/// <summary>
/// A credential never prints itself: not in logs of gRPC or of ours, not in a debugger, not in an exception. The library's map of fields would, for a map
/// asks no message how it wants to be shown: it is banned (BannedSymbols.txt), and read and written here alone.
/// </summary>
public sealed partial class Credential : ICustomDiagnosticMessage
{
    /// <summary>Makes one of these fields.</summary>
    public static Credential Of(IEnumerable<KeyValuePair<string, CredentialField>> fields)
    {
        ArgumentNullException.ThrowIfNull(fields);
        var credential = new Credential();
#pragma warning disable RS0030 // The one place where the map is written.
        foreach (var (name, field) in fields) credential.Fields[name] = field;
#pragma warning restore RS0030
        return credential;
    }

    /// <summary>The fields by their names, in a dictionary that prints its type alone.</summary>
    public IReadOnlyDictionary<string, CredentialField> ToDictionary()
    {
#pragma warning disable RS0030 // The one place where the map is read.
        return new Dictionary<string, CredentialField>(Fields, StringComparer.Ordinal);
#pragma warning restore RS0030
    }

    /// <summary>Nothing of it.</summary>
    public string ToDiagnosticString() => "***";
}

/// <summary>A field of a credential never prints itself.</summary>
public sealed partial class CredentialField : ICustomDiagnosticMessage
{
    /// <summary>Nothing of it.</summary>
    public string ToDiagnosticString() => "***";
}

/// <summary>The answer with the secret never prints it.</summary>
public sealed partial class IssueLeaseResponse : ICustomDiagnosticMessage
{
    /// <summary>The lease's name alone.</summary>
    public string ToDiagnosticString() => $"{Lease?.Name} with ***";
}

/// <summary>The answer that can hold a secret never prints it.</summary>
public sealed partial class RenewLeaseResponse : ICustomDiagnosticMessage
{
    /// <summary>The lease's name alone.</summary>
    public string ToDiagnosticString() => $"{Lease?.Name} with ***";
}
