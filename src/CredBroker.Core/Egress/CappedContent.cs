namespace CredBroker.Core.Egress;

/// <summary>Reads what a stranger answers, up to a size.</summary>
public static class CappedContent
{
    /// <summary>The whole body.</summary>
    /// <param name="content">The body, best of an answer asked for with <see cref="HttpCompletionOption.ResponseHeadersRead"/>.</param>
    /// <param name="maxBytes">The largest body, in bytes.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="InvalidDataException">The body is larger; nothing beyond the limit was kept.</exception>
    public static async Task<byte[]> ReadBytesAsync(this HttpContent content, int maxBytes, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(content);
        if (content.Headers.ContentLength > maxBytes) throw TooLarge(maxBytes);
        await using var stream = await content.ReadAsStreamAsync(cancellationToken);
        using var body = new MemoryStream();
        var buffer = new byte[8192];
        int count;
        while ((count = await stream.ReadAsync(buffer, cancellationToken)) > 0)
        {
            if (body.Length + count > maxBytes) throw TooLarge(maxBytes);
            body.Write(buffer, 0, count);
        }

        return body.ToArray();
    }

    private static InvalidDataException TooLarge(int maxBytes) => new($"The answer is larger than {maxBytes} bytes.");
}
