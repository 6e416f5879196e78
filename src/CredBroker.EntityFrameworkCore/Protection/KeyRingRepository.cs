using System.Xml.Linq;
using CredBroker.Abstractions;
using CredBroker.EntityFrameworkCore.Hosting;
using CredBroker.EntityFrameworkCore.Model;
using CredBroker.EntityFrameworkCore.Writing;
using Microsoft.AspNetCore.DataProtection.Repositories;

namespace CredBroker.EntityFrameworkCore.Protection;

/// <summary>
/// Data Protection's key ring in the database, written by the one writer. Data Protection asks for it synchronously, so it must never be used from
/// inside the writer: handles are encrypted before and decrypted after.
/// </summary>
internal sealed class KeyRingRepository(BrokerWriter writer, ReadContexts contexts, TimeProvider time) : IXmlRepository
{
    public IReadOnlyCollection<XElement> GetAllElements()
    {
        using var context = contexts.Create();
        return [.. context.ProtectionKeys.OrderBy(row => row.Id).Select(row => row.Xml).AsEnumerable().Select(xml => XElement.Parse(xml))];
    }

    public void StoreElement(XElement element, string friendlyName)
    {
        var row = new ProtectionKeyRow { Id = Uid.New(time), Name = friendlyName, Xml = element.ToString(SaveOptions.DisableFormatting) };
        writer.WriteAsync(
            LockSet.None,
            async session =>
            {
                await session.InsertAsync(session.Tables.ProtectionKeys, row);
                return true;
            },
            CancellationToken.None).GetAwaiter().GetResult();
    }
}
