namespace CredBroker.Contracts;

/// <summary>The Cedar schema of the broker's policies: part of the contract, since policies are written by users.</summary>
public static class BrokerSchema
{
    /// <summary>Reads the schema's text, in Cedar's own syntax.</summary>
    public static string ReadText()
    {
        using var stream = typeof(BrokerSchema).Assembly.GetManifestResourceStream("broker.cedarschema")
            ?? throw new InvalidOperationException("The Cedar schema is not embedded in the contracts assembly.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
